"""`make start`: how the local API starts, reloads and stops, and what it says about mistakes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.support.local_api import (
    NOT_WORKING,
    ROOT,
    STOP_SECONDS,
    both_runtimes,
    copy_project,
    listing_lines,
    local_api,
    wait_for,
)
from tests.support.pictures import plain


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path)


# Settings and mistakes


def test_variables_of_the_shell_reach_the_function(tmp_path: Path) -> None:
    with local_api(tmp_path / "log", MAX_IMAGES="1", CORS_ORIGIN="https://example.com") as api:
        files = [("image", ("a.png", plain()))] * 2
        answer = requests.post(f"{api.url}/shape", files=files, timeout=30)
    assert answer.status_code == 413
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.com"


def test_credentials_of_the_shell_do_not_reach_the_function(project: Path, tmp_path: Path) -> None:
    with (project / "lambda_function.py").open("a") as file:
        file.write("print('key:', os.environ['AWS_ACCESS_KEY_ID'])\n")
    with local_api(tmp_path / "log", root=project, AWS_ACCESS_KEY_ID="secret") as api:
        wait_for("key:", api.log, api.process)
        log = api.log.read_text()
    assert "secret" not in log


@both_runtimes
def test_says_why_a_model_does_not_load(flags: tuple[str, ...], tmp_path: Path) -> None:
    with local_api(tmp_path / "log", *flags, wait=NOT_WORKING, DETECTION_MODEL="typo") as api:
        wait_for("ERROR: ", api.log, api.process)
        log = api.log.read_text()
        [line, *_] = [line for line in log.splitlines() if line.startswith("ERROR: ")]
        assert "Model typo" in line
        assert "Traceback" not in log
        assert requests.get(f"{api.url}/health", timeout=30).status_code == 503


@both_runtimes
def test_says_why_the_function_does_not_start(
    flags: tuple[str, ...], project: Path, tmp_path: Path
) -> None:
    with (project / "lambda_function.py").open("a") as file:
        file.write("raise RuntimeError('a mistake of mine')\n")
    with local_api(tmp_path / "log", *flags, root=project, wait=NOT_WORKING) as api:
        wait_for("a mistake of mine", api.log, api.process)
        answer = requests.get(f"{api.url}/health", timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "internal_error")
        assert answer.json()["error"]["request_id"] == answer.headers["X-Request-Id"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_refuses_a_variable_that_the_function_would_refuse() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.local_api"],
        cwd=ROOT,
        env={**os.environ, "MAX_IMAGES": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "MAX_IMAGES='many'" in done.stderr
    assert "Traceback" not in done.stderr


def test_says_that_the_port_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "scripts.local_api", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr
    assert f"make start PORT={int(port) + 1}" in done.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--port", "99999"), "port 99999"),
        (("--host", "host.invalid"), "host.invalid"),
    ],
)
def test_says_what_is_wrong_with_the_address(flags: tuple[str, ...], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.local_api", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr


# Reloading and stopping


@both_runtimes
def test_changed_code_is_loaded_with_the_next_request(
    flags: tuple[str, ...], project: Path, tmp_path: Path
) -> None:
    code = project / "service" / "__init__.py"
    original = code.read_text()
    with local_api(tmp_path / "log", *flags, root=project) as api:

        def health() -> requests.Response:
            return requests.get(f"{api.url}/health", timeout=30)

        before = health().json()["version"]
        code.write_text(original.replace(f'"{before}"', '"9.9.9"'))
        assert health().json()["version"] == "9.9.9"
        code.write_text("this is no Python")
        assert health().status_code == 502
        wait_for("SyntaxError", api.log, api.process)
        code.write_text(original)
        assert health().json()["version"] == before


def test_a_changed_model_is_loaded_with_the_next_request(project: Path, tmp_path: Path) -> None:
    manifest = project / "models" / "vehicle_detector" / "manifest.json"
    with local_api(tmp_path / "log", root=project) as api:
        manifest.rename(manifest.with_suffix(".away"))
        assert requests.get(f"{api.url}/health", timeout=30).status_code == 503
        manifest.with_suffix(".away").rename(manifest)
        assert requests.get(f"{api.url}/health", timeout=30).status_code == 200


def gone(children: set[int]) -> bool:
    """Return whether the processes end."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        listing = subprocess.run(["ps", "-eo", "pid="], capture_output=True, check=True)
        if children.isdisjoint(map(int, listing_lines(listing))):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("sent", "flags"),
    [
        pytest.param(signal.SIGINT, (), id="Ctrl-C"),
        pytest.param(signal.SIGINT, ("--plain",), id="Ctrl-C plain"),
        pytest.param(signal.SIGTERM, (), id="SIGTERM"),
        pytest.param(signal.SIGHUP, (), id="closed terminal"),
    ],
)
def test_leaves_no_process_behind(
    sent: signal.Signals, flags: tuple[str, ...], tmp_path: Path
) -> None:
    with local_api(tmp_path / "log", *flags) as api:
        children = api.children()
        assert children
        api.process.send_signal(sent)
        assert api.process.wait(STOP_SECONDS) == 0
        assert gone(children)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{api.url}/health", timeout=5)
