"""Starts and stops the local API as a program."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.local.environments import emulator_binary

ROOT = Path(__file__).parent.parent.parent
READY = "Ctrl-C stops"
NOT_WORKING = "the function does not work"
START_SECONDS = 60
STOP_SECONDS = 20

needs_emulator = pytest.mark.skipif(
    emulator_binary() is None, reason="AWS's emulator has no binary for this system"
)
both_runtimes = pytest.mark.parametrize(
    "flags",
    [pytest.param((), marks=needs_emulator, id="emulator"), pytest.param(("--plain",), id="plain")],
)


@dataclass(frozen=True)
class LocalApi:
    """A running local API; `log` is the file of its output."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def children(self) -> set[int]:
        """Return the ids of all processes that it started, directly or indirectly."""
        listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, check=True)
        parents = {int(pid): int(parent) for pid, parent in map(str.split, listing_lines(listing))}
        found: set[int] = set()
        wanted = {self.process.pid}
        while wanted:
            wanted = {pid for pid, parent in parents.items() if parent in wanted}
            found |= wanted
        return found


def listing_lines(listing: subprocess.CompletedProcess[bytes]) -> list[str]:
    return listing.stdout.decode().splitlines()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(text: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the log has a text: a thread copies the function's lines to it."""
    end = time.monotonic() + START_SECONDS
    while text not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


@contextmanager
def local_api(
    log: Path, *flags: str, root: Path = ROOT, wait: str = READY, **environment: str
) -> Iterator[LocalApi]:
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.local_api", "--port", str(port), *flags],
            cwd=root,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(wait, log, process)
        yield LocalApi(f"http://127.0.0.1:{port}", process, log)
    finally:
        if process.poll() is None:
            process.terminate()
        assert process.wait(STOP_SECONDS) == 0, log.read_text()


def copy_project(directory: Path) -> Path:
    """Copy what the local API serves, so that a test can change it; return the copy."""
    copy = directory / "project"
    for name in ("gateway", "inference", "models", "pages", "scripts", "service"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("lambda_function.py", "template.yaml", "swagger.yaml"):
        shutil.copy(ROOT / name, copy)
    return copy
