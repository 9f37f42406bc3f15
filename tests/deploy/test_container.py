"""Plain `sam local start-api`: the built function in a container of AWS's image.

It needs a Docker engine, and AWS's image or the internet to fetch it from.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.local_api import ROOT, free_port

IMAGE = "public.ecr.aws/lambda/python:3.13"
START_SECONDS = 300

pytestmark = pytest.mark.slow


def docker(*arguments: str) -> bool:
    return (
        subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=60)
    ).returncode == 0


def image_name() -> str:
    machine = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
    return f"{IMAGE}-{machine}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not shutil.which("docker") or not docker("info"):
        pytest.skip("no Docker engine answers")
    if not docker("image", "inspect", image_name()) and not docker("pull", image_name()):
        pytest.skip(f"the image {image_name()} is not here and can't be fetched")
    port = free_port()
    log = tmp_path_factory.mktemp("container") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "scripts/start_docker.sh", "--port", str(port), "--skip-pull-image"],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while "Running on http" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def test_a_picture_is_answered_in_aws_own_image(url: str) -> None:
    car = (ROOT / "samples" / "car.jpg").read_bytes()
    files = [("image", ("car.jpg", car)), ("image", ("notes.txt", b"no picture"))]
    answer = requests.post(f"{url}/predict", files=files, timeout=60)
    assert answer.status_code == 200, answer.text
    [[vehicle], nothing] = answer.json()
    assert vehicle["class_name"] == "car"
    assert nothing == []
    assert answer.headers["X-Failed-Images"] == "1=not_an_image"


def test_preflights_and_wrong_methods_reach_the_function(url: str) -> None:
    assert requests.options(f"{url}/predict", timeout=60).status_code == 200
    assert requests.get(f"{url}/predict", timeout=60).status_code == 405
