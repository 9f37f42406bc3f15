"""The built package runs under AWS's Runtime Interface Emulator."""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.local.environments import INVOKE_PATH, emulator_binary
from tests.package import aws_runtime
from tests.package.conftest import SAMPLE
from tests.support.events import form_event, upload

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(emulator_binary() is None, reason="AWS's emulator is for Linux"),
]

HANDLER = "lambda_function.lambda_handler_classification"
START_SECONDS = 30


@pytest.fixture(scope="module")
def runtime_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install AWS's runtime client into a folder, as in /var/runtime."""
    folder = tmp_path_factory.mktemp("runtime")
    pin = f"awslambdaric=={importlib.metadata.version('awslambdaric')}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder), pin], check=True)
    return folder


@pytest.fixture(scope="module")
def url(package_x86_64: Path, runtime_client: Path) -> Iterator[str]:
    """Start the emulator and return its address."""
    ports = [free_port(), free_port()]
    process = subprocess.Popen(
        [
            *(str(emulator_binary()), "--log-level", "error"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{ports[0]}"),
            *("--runtime-api-address", f"127.0.0.1:{ports[1]}"),
            *(sys.executable, "-I", "-S", "-B", aws_runtime.__file__),
            *(str(runtime_client), HANDLER),
        ],
        cwd=package_x86_64,
        env={"PATH": os.defpath, "PYTHONPATH": "", "LAMBDA_TASK_ROOT": str(package_x86_64)},
        start_new_session=True,
    )
    try:
        wait_until_it_listens(process, ports[0])
        yield f"http://127.0.0.1:{ports[0]}{INVOKE_PATH}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the emulator did not start; its output is above")


def test_it_predicts_what_the_sources_predict(url: str, embedded_handler: Any) -> None:
    event = form_event("/predict", upload(SAMPLE.read_bytes(), filename=SAMPLE.name))

    answer = requests.post(url, json=event, timeout=60).json()

    assert answer["statusCode"] == 200
    vehicles = json.loads(answer["body"])[0]
    assert [vehicle["class_name"] for vehicle in vehicles].count("car") == 3
    assert vehicles == json.loads(embedded_handler(event, None)["body"])[0]
