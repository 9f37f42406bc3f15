"""Run the contestants under a quota of processor time, like small Lambda functions.

A small Lambda function sees two cores but may use only a part of their time. The kernel's cpu
controller does the same: it limits the time per period, for all threads together.
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
"""Highest weight of a group in version 1, which makes other processes negligible."""
WEIGHT = 10_000
"""Highest weight of a group in version 2."""

QUOTA_CASES = ("jpeg-2mp", "jpeg-12mp", "10x2mp")
CONTESTANTS = ("ours", "naive", "limit")

VERSION_1 = Path("/sys/fs/cgroup/cpu")
VERSION_2 = Path("/sys/fs/cgroup")


class NoQuota(Exception):
    """This machine does not allow setting a quota; the message says why."""


@contextmanager
def group(cores: float) -> Iterator[Path]:
    """Create a group with a quota in cores, yield it, and remove it.

    Raises:
        NoQuota: There is no cpu controller, or it is not writable.
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
        raise NoQuota(f"the cpu controller is not writable: {error}") from error
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a group; the kernel refuses this for a moment after its last process ended."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.1)


def measure(cores: float, rounds: int, folder: Path, port: int) -> Table:
    """Measure the contestants alternately, each in a group with the same quota; see `compare`.

    Raises:
        NoQuota: See `group`.
    """
    environ = environment(port, str(round(cores * MB_PER_CORE)))
    cases = [CASES[name] for name in QUOTA_CASES]
    with group(cores) as cgroup, ExitStack() as stack:
        workers = []
        for contestant in CONTESTANTS:
            # Realtime processes cannot join such a group; its weight replaces the priority.
            worker = Worker(contestant, environ, "normal", cgroup)
            stack.callback(worker.close)
            workers.append(worker)
        return compare(workers, cases, rounds, folder, port)
