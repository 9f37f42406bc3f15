"""Small functions: the contestants under a quota of processor time, as Lambda gives it.

Lambda shows a small function two cores and lets it use a part of their time. A group of the
kernel's cpu controller does the same: so much time per period, whatever the number of threads.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.compare import Table, compare
from benchmarks.processes import Worker, environment

PERIOD_US = 100_000
MB_PER_CORE = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

SHARES = 262_144
"""The most a group can have of version 1: neighbours outside of it hardly count."""
WEIGHT = 10_000
"""The same of version 2."""

QUOTA_CASES = ("jpeg-2mp", "jpeg-12mp", "10x2mp")
CONTESTANTS = ("ours", "naive", "limit")

VERSION_1 = Path("/sys/fs/cgroup/cpu")
VERSION_2 = Path("/sys/fs/cgroup")


class NoQuota(Exception):
    """This machine lets nobody set a quota; the message says why."""


@contextmanager
def group(cores: float) -> Iterator[Path]:
    """A group with a quota of so many cores' time, removed after the block.

    Raises:
        NoQuota: There is no cpu controller, or it may not be written to.
    """
    is_version_1 = (VERSION_1 / "cpu.cfs_quota_us").is_file()
    folder = (VERSION_1 if is_version_1 else VERSION_2) / f"matchvec-bench-{os.getpid()}"
    quota = round(PERIOD_US * cores)
    settings = (
        {"cpu.cfs_period_us": PERIOD_US, "cpu.cfs_quota_us": quota, "cpu.shares": SHARES}
        if is_version_1
        else {"cpu.max": f"{quota} {PERIOD_US}", "cpu.weight": WEIGHT}
    )
    try:
        folder.mkdir()
        for name, value in settings.items():
            (folder / name).write_text(str(value))
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise NoQuota(f"the cpu controller can't be set: {error}") from error
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a group, which the kernel lets nobody do for a moment after its last process."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.1)


def measure(cores: float, rounds: int, folder: Path, port: int) -> Table:
    """The contestants in turns, each in a group of the same quota; see `compare`.

    Raises:
        NoQuota: See `group`.
    """
    environ = environment(port, str(round(cores * MB_PER_CORE)))
    cases = [CASES[name] for name in QUOTA_CASES]
    with group(cores) as cgroup, ExitStack() as stack:
        workers = []
        for contestant in CONTESTANTS:
            # Realtime processes can't be in such a group; its weight stands for the priority.
            worker = Worker(contestant, environ, "normal", cgroup)
            stack.callback(worker.close)
            workers.append(worker)
        return compare(workers, cases, rounds, folder, port)
