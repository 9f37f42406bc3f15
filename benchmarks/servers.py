"""Contestants as HTTP servers with two processes each, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import CONTENT_TYPE, Case
from benchmarks.environments import FOLDER, python_of
from benchmarks.processes import NICENESS, PROJECT, ContestantFailed, environment, set_up

START_SECONDS = 90
REQUEST_SECONDS = 60
UVICORN = ("-m", "uvicorn", "--workers", "2", "--no-access-log", "--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Recipe:
    """The command that starts a contestant's server.

    Attributes:
        environment: Name of its virtual environment.
        arguments: Arguments of its interpreter; `{port}` is replaced by the port.
        variables: Additional environment variables.
    """

    environment: str
    arguments: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()


def _front(handler: str) -> Recipe:
    app = "benchmarks.contestants.front:app"
    return Recipe("front", (*UVICORN, "--port", "{port}", app), (("BENCH_HANDLER", handler),))


RECIPES = {
    "ours": _front("ours"),
    "naive": _front("naive"),
    "fastapi": Recipe(
        "fastapi", (*UVICORN, "--port", "{port}", "benchmarks.contestants.fastapi_app:app")
    ),
    "litserve": Recipe("litserve", ("-m", "benchmarks.contestants.litserve_app", "{port}")),
    "bentoml": Recipe(
        "bentoml",
        (
            *("-m", "bentoml", "serve", "benchmarks.contestants.bentoml_app:Matchvec"),
            *("--host", "127.0.0.1", "--port", "{port}"),
        ),
        (("BENTOML_DO_NOT_TRACK", "True"), ("BENTOML_HOME", str(FOLDER / "bentoml-home"))),
    ),
}
PEERS = ("fastapi", "litserve", "bentoml")


class Server:
    """A running contestant.

    Args:
        contestant: A name in `RECIPES`.
        pictures_port: Port of the picture server.
        threads: onnxruntime's threads per process of a web framework; 0 for its default.
        priority: See `benchmarks.processes.set_up`.
    """

    def __init__(
        self, contestant: str, pictures_port: int, threads: int = 0, priority: str = "high"
    ) -> None:
        """Start the server; call `wait` before the first request."""
        recipe = RECIPES[contestant]
        self.contestant = contestant
        self._priority = priority
        self.port = _free_port()
        self._log = PROJECT / "build" / f"bench-{contestant}.log"
        arguments = [part.format(port=self.port) for part in recipe.arguments]
        variables = {
            **environment(pictures_port),
            **dict(recipe.variables),
            "BENCH_THREADS": str(threads),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python_of(recipe.environment)), *arguments],
                env=variables,
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                preexec_fn=set_up(priority),
            )

    def wait(self, case: Case, body: bytes) -> None:
        """Wait until a request is answered with 200.

        Raises:
            ContestantFailed: It ended, or did not answer within 90 seconds; the message has its
                log.
        """
        end = time.monotonic() + START_SECONDS
        status = "no answer"
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                code, content = self.post(case, body)
                if code == 200:
                    self._share_priority()
                    return
                status = f"{code} {content[:300]!r}"
            time.sleep(0.2)
        log = self._log.read_text(errors="replace")[-1500:]
        raise ContestantFailed(f"{self.contestant}: {status}\n{log}")

    def _share_priority(self) -> None:
        """Give processes that opened their own session the same priority."""
        if self._priority != "high":
            return
        for pid in family(self._process.pid):
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))

    def post(self, case: Case, body: bytes) -> tuple[int, bytes]:
        """Return status and content of the answer, over a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS)
        try:
            connection.request("POST", case.route, body, {"Content-Type": CONTENT_TYPE})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def answer(self, case: Case, body: bytes) -> Any:  # noqa: ANN401  a JSON answer
        """Return the parsed answer.

        Raises:
            ContestantFailed: The status is not 200.
        """
        status, content = self.post(case, body)
        if status != 200:
            log = self._log.read_text(errors="replace")[-1500:]
            raise ContestantFailed(f"{self.contestant}, {case.name}: {status} {content!r}\n{log}")
        return json.loads(content)

    def processor_seconds(self) -> float:
        """Return the processor time of all its processes so far."""
        return sum(_processor_seconds(pid) for pid in family(self._process.pid))

    def close(self) -> None:
        """Stop all its processes."""
        members = family(self._process.pid)
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    members = [pid]
    for member in members:
        members += parents.get(member, [])
    return members


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; [] if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _processor_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
