"""Execution environments: processes that run the function, as Lambda does.

Lambda gives an environment one event at a time, keeps it for the next event, and creates another
one when all are busy
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). Here an environment
is a process group: AWS's Runtime Interface Emulator, which the SAM CLI package contains for Linux,
and below it AWS's runtime client (awslambdaric) with the handler. On other systems
`scripts.local.plain_emulator` replaces both.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from scripts.local.log import forward
from scripts.local.sources import fingerprint

INVOKE_PATH = "/2015-03-31/functions/function/invocations"
GATEWAY_SECONDS = 29
"""API Gateway's integration timeout in seconds
(https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html)."""
START_SECONDS = 10
STOP_SECONDS = 3

RIE_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
"""Name of the emulator's binary per `platform.machine()`."""

INHERITED = ("PATH", "HOME", "TMPDIR", "AWS_ENDPOINT_URL")
"""Variables that the function inherits from this process: the ones that every process needs, and
the address of a local S3 for UPLOAD_BUCKET and MODEL_URI. The template sets all others."""


class EnvironmentFailed(Exception):
    """The function did not start, or ended before it answered."""


class EnvironmentTimeout(Exception):
    """The function did not answer within API Gateway's timeout."""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """The function as the SAM template describes it.

    Attributes:
        handler: Handler as ``module.function``.
        directory: Directory of the code; also the working directory.
        variables: Environment variables, including those that Lambda sets.
    """

    handler: str
    directory: Path
    variables: Mapping[str, str]

    @property
    def sources(self) -> tuple[Path, ...]:
        """Directories of the code and of further models. A change needs a new environment."""
        models = self.variables.get("BASE_MODEL_PATH")
        return (self.directory, self.directory / models) if models else (self.directory,)


def emulator_binary() -> Path | None:
    """Return the path of AWS's emulator in the SAM CLI package; None if this system has none."""
    machine = RIE_MACHINES.get(platform.machine().lower())
    runtime_client = importlib.util.find_spec("awslambdaric")
    sam = importlib.util.find_spec("samcli")
    if sys.platform != "linux" or not (machine and runtime_client and sam and sam.origin):
        return None
    binary = Path(sam.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    return binary if os.access(binary, os.X_OK) else None


def command_line(binary: Path | None, port: int, handler: str) -> list[str]:
    """Return the command that serves `INVOKE_PATH` on a port of this machine."""
    if binary is None:
        return [sys.executable, "-m", "scripts.local.plain_emulator", str(port), handler]
    runtime_api = f"127.0.0.1:{_free_port()}"
    return [
        str(binary),
        *("--log-level", "error"),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", runtime_api),
        *(sys.executable, "-m", "awslambdaric", handler),
    ]


class ExecutionEnvironment:
    """A process group that answers one event at a time.

    Args:
        function: The function to run.
        binary: AWS's emulator; None for the plain one.
        verbose: Print every line of the process unchanged.

    Raises:
        EnvironmentFailed: The process ended before it listened.
    """

    def __init__(self, function: FunctionSettings, binary: Path | None, *, verbose: bool) -> None:
        self._function = function
        self._fingerprint = fingerprint(function.sources)
        self._port = _free_port()
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._process = subprocess.Popen(
            command_line(binary, self._port, function.handler),
            cwd=function.directory,
            env={
                **inherited,
                "LANG": "en_US.UTF-8",
                "TZ": ":UTC",
                "LAMBDA_TASK_ROOT": str(function.directory),
                "PYTHONUNBUFFERED": "1",
                # Cached bytecode would hide an edit that keeps size and second of its source.
                "PYTHONDONTWRITEBYTECODE": "1",
                **function.variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # In a group of its own the process does not receive Ctrl-C; `stop` ends the group.
            start_new_session=True,
        )
        self._log = threading.Thread(
            target=forward, args=(self._process.stdout,), kwargs={"verbose": verbose}, daemon=True
        )
        self._log.start()
        self._wait_until_it_listens()

    def invoke(self, event: bytes) -> bytes:
        """Send an event to the function and return its answer.

        Raises:
            EnvironmentFailed: The process ended before it answered.
            EnvironmentTimeout: The answer took too long.
        """
        try:
            return requests.post(
                f"http://127.0.0.1:{self._port}{INVOKE_PATH}",
                data=event,
                headers={"Content-Type": "application/json"},
                timeout=GATEWAY_SECONDS,
            ).content
        except requests.Timeout as error:
            raise EnvironmentTimeout from error
        except requests.RequestException as error:
            raise EnvironmentFailed from error

    def is_current(self) -> bool:
        """Return whether the process still runs and its sources have not changed."""
        running = self._process.poll() is None
        return running and fingerprint(self._function.sources) == self._fingerprint

    def stop(self) -> None:
        """End the process group: with SIGTERM, and with SIGKILL if it does not end."""
        for sent in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, sent)
            except (ProcessLookupError, PermissionError):  # All have ended; macOS: the latter.
                break
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait(STOP_SECONDS)
        self._log.join(STOP_SECONDS)

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise EnvironmentFailed("The function's process did not start; its output is above.")


class EnvironmentPool:
    """Environments that are created when needed and replaced when their sources change.

    Args:
        size: Events that are answered at the same time, at most. Further events wait.
        binary: AWS's emulator; None for the plain one.
        verbose: Print every line of the processes unchanged.
    """

    def __init__(self, size: int, binary: Path | None, *, verbose: bool = False) -> None:
        self._binary = binary
        self._verbose = verbose
        self._idle: list[ExecutionEnvironment] = []
        self._all: list[ExecutionEnvironment] = []
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._closed = False

    def invoke(self, function: FunctionSettings, event: bytes) -> bytes:
        """Send an event to a current environment and return the answer.

        Raises:
            EnvironmentFailed: The function did not start, or ended before it answered.
            EnvironmentTimeout: The answer took too long.
        """
        with self._slots, self._borrowed(function) as environment:
            return environment.invoke(event)

    def close(self) -> None:
        """Stop every environment, including busy ones."""
        with self._lock:
            self._closed = True
            for environment in self._all:
                environment.stop()
            self._all.clear()

    @contextmanager
    def _borrowed(self, function: FunctionSettings) -> Iterator[ExecutionEnvironment]:
        environment = self._take(function)
        try:
            yield environment
        except (EnvironmentFailed, EnvironmentTimeout):
            self._discard(environment)
            raise
        with self._lock:
            self._idle.append(environment)

    def _take(self, function: FunctionSettings) -> ExecutionEnvironment:
        with self._lock:
            while self._idle:
                environment = self._idle.pop()
                if environment.is_current():
                    return environment
                self._all.remove(environment)
                environment.stop()
            if self._closed:
                raise EnvironmentFailed("The local API is stopping.")
            environment = ExecutionEnvironment(function, self._binary, verbose=self._verbose)
            self._all.append(environment)
            return environment

    def _discard(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            if environment in self._all:
                self._all.remove(environment)
                environment.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
