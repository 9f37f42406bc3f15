"""Execution environments: processes that run the function, as Lambda runs it.

Lambda gives an environment one event at a time, keeps it for the next one, and makes another when
all are busy (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). Here
an environment is a process group: AWS's Runtime Interface Emulator, which the SAM CLI package
brings for Linux, with AWS's runtime client (awslambdaric) and the handler below it. Elsewhere
`scripts.local.plain_emulator` takes the place of both.
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

from scripts.local.sources import fingerprint

INVOKE_PATH = "/2015-03-31/functions/function/invocations"
GATEWAY_SECONDS = 29
"""When API Gateway gives up on an integration
(https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html)."""
START_SECONDS = 10
STOP_SECONDS = 3

RIE_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

PASSED_ON = ("PATH", "HOME", "TMPDIR", "AWS_ENDPOINT_URL")
"""What of this machine's environment a process can't do without, or what takes the place of AWS on
it (an S3 of one's own, for UPLOAD_BUCKET and MODEL_URI); the rest is the template's."""


class EnvironmentFailed(Exception):
    """The function did not answer: it ended, or never started."""


class EnvironmentTimeout(Exception):
    """The function did not answer within the gateway's time."""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """What SAM knows of the function.

    Attributes:
        handler: ``module.function``.
        directory: Where its code is; also its working directory.
        variables: Its environment variables, AWS's own among them.
    """

    handler: str
    directory: Path
    variables: Mapping[str, str]

    @property
    def sources(self) -> tuple[Path, ...]:
        """Directories whose changes ask for a new environment: the code and further models."""
        models = self.variables.get("BASE_MODEL_PATH")
        return (self.directory, self.directory / models) if models else (self.directory,)


def emulator_binary() -> Path | None:
    """AWS's Runtime Interface Emulator of the installed SAM CLI; None: this system has none."""
    machine = RIE_MACHINES.get(platform.machine().lower())
    runtime_client = importlib.util.find_spec("awslambdaric")
    sam = importlib.util.find_spec("samcli")
    if sys.platform != "linux" or not (machine and runtime_client and sam and sam.origin):
        return None
    binary = Path(sam.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    return binary if os.access(binary, os.X_OK) else None


def command_line(binary: Path | None, port: int, handler: str) -> list[str]:
    """The process that serves `INVOKE_PATH` on a port of this machine."""
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
    """One process group that answers one event at a time.

    Raises:
        EnvironmentFailed: It ended before it listened.
    """

    def __init__(self, function: FunctionSettings, binary: Path | None) -> None:
        self._function = function
        self._fingerprint = fingerprint(function.sources)
        self._port = _free_port()
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(
            command_line(binary, self._port, function.handler),
            cwd=function.directory,
            env={
                **passed_on,
                "LANG": "en_US.UTF-8",
                "TZ": ":UTC",
                "LAMBDA_TASK_ROOT": str(function.directory),
                "PYTHONUNBUFFERED": "1",
                # Bytecode knows its source by size and full second: a quick edit would be missed.
                "PYTHONDONTWRITEBYTECODE": "1",
                **function.variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            # A group of its own: Ctrl-C reaches this program only, which then ends the group.
            start_new_session=True,
        )
        self._wait_until_it_listens()

    def invoke(self, event: bytes) -> bytes:
        """Have one event answered.

        Raises:
            EnvironmentFailed: The process ended over it.
            EnvironmentTimeout: There was no answer in time.
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
        """Whether it still runs, and runs what the files say."""
        running = self._process.poll() is None
        return running and fingerprint(self._function.sources) == self._fingerprint

    def stop(self) -> None:
        """End the process group, by force if it does not end at once."""
        for sent in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, sent)
            except (ProcessLookupError, PermissionError):  # Nobody is left; macOS says the latter.
                break
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait(STOP_SECONDS)

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
    """A few environments, made when needed, replaced when their sources change.

    Args:
        size: How many events are answered at the same time; further ones wait.
        binary: AWS's emulator; None: the plain one.
    """

    def __init__(self, size: int, binary: Path | None) -> None:
        self._binary = binary
        self._idle: list[ExecutionEnvironment] = []
        self._all: list[ExecutionEnvironment] = []
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._closed = False

    def invoke(self, function: FunctionSettings, event: bytes) -> bytes:
        """Have one event answered by an environment that is current.

        Raises:
            EnvironmentFailed: The function did not start or ended over the event.
            EnvironmentTimeout: There was no answer in time.
        """
        with self._slots, self._borrowed(function) as environment:
            return environment.invoke(event)

    def close(self) -> None:
        """Stop every environment; those that work on an event too."""
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
            environment = ExecutionEnvironment(function, self._binary)
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
