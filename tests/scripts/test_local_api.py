"""`make start`: requests to the local API, on a free port, with the real handler and models."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.local_api import ROOT, LocalApi, both_runtimes, local_api
from tests.support.pictures import plain

CAR = ROOT / "samples" / "car.jpg"
BUS = ROOT / "samples" / "bus.jpg"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    with local_api(tmp_path_factory.mktemp("local_api") / "log") as running:
        yield running


@both_runtimes
def test_answers_every_part_in_its_place(flags: tuple[str, ...], tmp_path: Path) -> None:
    pictures = [
        ("image", ("car.jpg", CAR.read_bytes(), "image/jpeg")),
        ("image", ("notes.txt", b"no picture", "text/plain")),
        ("image", ("bus.jpg", BUS.read_bytes(), "image/jpeg")),
    ]
    with local_api(tmp_path / "log", *flags) as api:
        answer = requests.post(f"{api.url}/predict", files=pictures, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["X-Failed-Images"] == "1=not_an_image"
    found = [[vehicle["class_name"] for vehicle in picture] for picture in answer.json()]
    assert found == [["car"], [], ["bus"]]


def test_says_routes_models_and_a_call_that_works(api: LocalApi) -> None:
    log = api.log.read_text()
    assert f"Matchvec answers on {api.url}" in log
    for route in ("POST /object_detection", "POST /predict", "GET  /health", "GET  /models"):
        assert route in log
    call = next(line for line in log.splitlines() if line.startswith("Try: ")).split(maxsplit=1)[1]
    done = subprocess.run(["sh", "-c", call], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 127:
        pytest.skip("curl is not installed")
    assert done.stdout.startswith(b"[[{"), done.stderr


def test_takes_a_picture_as_the_body(api: LocalApi) -> None:
    headers = {"Content-Type": "image/png"}
    answer = requests.post(f"{api.url}/shape", plain(8, 6), headers=headers, timeout=30)
    assert (answer.status_code, answer.json()) == (200, [[6, 8, 3]])


def test_bytes_with_the_type_of_a_form_are_refused_by_the_function(api: LocalApi) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}  # curl --data-binary
    answer = requests.post(f"{api.url}/shape", CAR.read_bytes(), headers=headers, timeout=30)
    assert 400 <= answer.status_code < 500
    assert "X-Request-Id" in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("DELETE", "/health", 405),
        ("GET", "/", 200),
        ("GET", "/docs", 200),
        ("GET", "/swagger-ui.css", 200),
        ("POST", "/", 405),
        ("GET", "/nowhere/else", 404),
        ("OPTIONS", "/nowhere", 200),
        ("HEAD", "/health", 200),
    ],
)
def test_other_methods_and_paths_reach_the_function(
    api: LocalApi, method: str, path: str, status: int
) -> None:
    answer = requests.request(method, api.url + path, timeout=30)
    assert answer.status_code == status
    assert "X-Request-Id" in answer.headers


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(5_000_000, id="over Lambda's 6 MB in base64"),
        pytest.param(11_000_000, id="over API Gateway's 10 MB"),
    ],
)
def test_too_long_requests_are_refused_as_on_aws(api: LocalApi, size: int) -> None:
    headers = {"Content-Type": "image/jpeg"}
    answer = requests.post(f"{api.url}/shape", bytes(size), headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "4.4 MB of pictures" in answer.json()["error"]["message"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert requests.get(f"{api.url}/health", timeout=30).status_code == 200


def test_answers_several_requests_at_a_time(api: LocalApi) -> None:
    def shape(number: int) -> object:
        files = {"image": ("a.png", plain(8 + number, 6))}
        return requests.post(f"{api.url}/shape", files=files, timeout=60).json()

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(shape, range(16)))
    assert answers == [[[6, 8 + number, 3]] for number in range(16)]


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 1000\r\n\r\n123",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n123",
    ],
    ids=["a length", "chunks"],
)
def test_a_client_that_disconnects_leaves_no_traceback(api: LocalApi, sent: bytes) -> None:
    port = int(api.url.rpartition(":")[2])
    head = b"POST /shape?gone HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
    requests_before = api.log.read_text().count("shape?gone")
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head + sent)
    for _ in range(200):
        if api.log.read_text().count("shape?gone") > requests_before:
            break
        time.sleep(0.05)
    log = api.log.read_text()
    assert log.count("shape?gone") == requests_before + 1
    assert "Traceback" not in log


def test_a_request_writes_one_line(api: LocalApi) -> None:
    before = api.log.read_text()
    requests.get(f"{api.url}/health", timeout=30)
    lines = api.log.read_text().removeprefix(before).splitlines()
    assert ["GET /health" in line for line in lines] == [True]
