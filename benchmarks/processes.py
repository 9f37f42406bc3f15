"""Processes of contestants: same cores, same priority, controlled by lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import CONTENT_TYPE, Case, form

PROJECT = Path(__file__).resolve().parent.parent
CORES = 2
"""Number of cores that the goals assume; Lambda provides two from 1769 MB to 3538 MB."""

MEMORY_MB = "3538"
"""Lambda's memory size for two whole cores (one per 1769 MB), which contestants read from
`AWS_LAMBDA_FUNCTION_MEMORY_SIZE`."""

NICENESS = -10
PRIORITIES = ("high", "realtime", "normal")
REALTIME = 1


class ContestantFailed(Exception):
    """A contestant's process ended or did not answer; the message shows its last output."""


def cores() -> list[int]:
    """Return the cores of the contestants: the last two that this process may use."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))[-CORES:]


def set_up(priority: str, cgroup: Path | None = None) -> Callable[[], None]:
    """Return a function that configures a child process before it starts a contestant.

    Args:
        priority: `normal`; `high` for a lower niceness; `realtime` for `SCHED_RR`.
        cgroup: Group of the cpu controller to join.
    """

    def prepare() -> None:
        if cgroup is not None:
            (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        if pinned := cores():
            os.sched_setaffinity(0, pinned)
        # Without permission it runs at normal priority; processor time reveals the noise.
        with contextlib.suppress(OSError, AttributeError):
            if priority == "realtime":
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REALTIME))
            elif priority == "high":
                os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
                # If the kernel groups processes by session, niceness only counts within a group.
                os.setsid()
                Path("/proc/self/autogroup").write_text(str(NICENESS))

    return prepare


def environment(pictures_port: int, memory_mb: str = MEMORY_MB) -> dict[str, str]:
    """Return a contestant's environment, without variables of the developer's shell."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": os.environ.get("HOME", "/tmp"),  # noqa: S108  only BentoML asks, for its own folder
        "PYTHONPATH": str(PROJECT),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory_mb,
        "BENCH_PICTURES_PORT": str(pictures_port),
    }


class Worker:
    """A contestant running in `benchmarks.worker`.

    Args:
        contestant: Its name.
        environ: See `environment`.
        priority: See `set_up`.
        cgroup: See `set_up`.
    """

    def __init__(
        self,
        contestant: str,
        environ: Mapping[str, str],
        priority: str = "high",
        cgroup: Path | None = None,
    ) -> None:
        """Start the process and wait until its models are loaded."""
        self.contestant = contestant
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", contestant],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environ),
            cwd=PROJECT,
            text=True,
            preexec_fn=set_up(priority, cgroup),
        )
        self.ready_memory: dict[str, int] = self._reply()["ready"]

    def prepare(self, case: Case, folder: Path, url_base: str) -> None:
        """Send a case; its body is written to `folder`."""
        body = folder / f"{case.name}-{len(url_base)}.form"
        body.write_bytes(form(case, url_base))
        pictures = [str(path) for path in case.paths()]
        fields = {"route": case.route, "content_type": CONTENT_TYPE, "body": str(body)}
        self._ask({"do": "prepare", **fields, "pictures": pictures})

    def run(self, times: int = 1) -> list[tuple[float, float]]:
        """Return wall and processor milliseconds of `times` calls."""
        return [(wall, used) for wall, used in self._ask({"do": "run", "times": times})["times"]]

    def answer(self) -> Any:  # noqa: ANN401  a JSON answer
        """Return the answer to the prepared case."""
        return self._ask({"do": "answer"})["answer"]

    def memory(self) -> dict[str, int]:
        """Return resident bytes: `rss` now and `peak` since the start."""
        return dict(self._ask({"do": "memory"}))

    def close(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _ask(self, command: Mapping[str, Any]) -> dict[str, Any]:
        stdin = self._process.stdin
        if stdin is None:
            raise ContestantFailed(f"{self.contestant} has no standard input")
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(command), file=stdin, flush=True)
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise ContestantFailed(f"{self.contestant} ended; its output is above")
        return dict(json.loads(line))


def close_all(workers: Sequence[Worker]) -> None:
    """Stop all workers."""
    for worker in workers:
        worker.close()
