"""The load test detects wrong answers and leaks."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scripts.load import Resources, Tally, check_answer, child_resources, load, main
from scripts.load_cases import CASES, Exchange, size_of


class Api(ThreadingHTTPServer):
    """A server that returns the same answer to every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.answer: Any = [[6, 8, 3]]
        self.fields = {"Access-Control-Allow-Origin": "*"}
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        content = json.dumps(self.server.answer).encode()
        self.send_response(self.server.status)
        for name, value in self.server.fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield api
        api.shutdown()
        thread.join()


@pytest.mark.promise("answers-under-load")
def test_a_short_run_against_the_local_api(capfd: pytest.CaptureFixture[str]) -> None:
    status = main(["--requests", "65", "--clients", "4"])
    printed = capfd.readouterr().out

    assert "requests: 65\nerrors: 0\nwrong answers: 0\n" in printed
    assert re.search(r"leaked descriptors: (0|not counted)\n", printed)
    assert re.search(r"leaked processes: (0|not counted)\np50: \d+ ms\np99: \d+ ms\n", printed)
    assert status == 0


def test_a_run_with_wrong_answers_fails(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--requests", "26", "--clients", "2", "--url", api.url])
    printed = capsys.readouterr().out

    assert status == 1
    assert "wrong answers: 26\n" in printed
    assert "no body: " in printed
    assert "leaked processes: not counted\n" in printed


def test_a_run_without_an_api_fails(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--requests", "3", "--clients", "1", "--url", "http://127.0.0.1:9"])

    assert status == 1
    assert "errors: 3\n" in capsys.readouterr().out


def test_a_run_that_takes_too_long_fails(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--requests", "9", "--seconds", "0", "--url", api.url])

    assert status == 1
    assert "requests: 0\n" in capsys.readouterr().out


SHAPE = Exchange("GET", "/shape", [[6, 8, 3]])
CORS = {"Access-Control-Allow-Origin": "*"}
ANSWERS: dict[str, tuple[dict[str, Any], bool]] = {
    "the expected answer": ({}, True),
    "another answer": ({"answer": [[6, 9, 3]]}, False),
    "another status": ({"status": 500}, False),
    "a failed picture": ({"fields": {**CORS, "X-Failed-Images": "0=not_an_image"}}, False),
    "no CORS": ({"fields": {}}, False),
}


@pytest.mark.parametrize(("attributes", "is_right"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_checked(attributes: dict[str, Any], is_right: bool, api: Api) -> None:
    for name, value in attributes.items():
        setattr(api, name, value)

    assert (check_answer(api.url, SHAPE) == "") == is_right


def test_every_case_is_sent(api: Api) -> None:
    tally = load(api.url, clients=3, number=2 * len(CASES), seconds=60)

    assert tally.requests == 2 * len(CASES)
    wrong = [difference.partition(":")[0] for difference in tally.wrong]
    assert sorted(wrong) == sorted([*CASES, *CASES])


def test_pictures_differ_from_request_to_request() -> None:
    assert len({size_of(number) for number in range(8633)}) == 8633


def test_percentiles() -> None:
    tally = Tally(seconds=[index / 1000 for index in range(100, 0, -1)])

    assert (tally.milliseconds(0.5), tally.milliseconds(0.99)) == (51, 100)
    assert Tally().milliseconds(0.5) == 0


def test_resources_of_children_are_counted() -> None:
    before = child_resources()
    if before is None:
        pytest.skip("there is no /proc here")
    with subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL) as child:
        during = child_resources()
        child.kill()

    assert during is not None
    assert isinstance(before, Resources)
    assert during.processes == before.processes + 1
    assert during.descriptors >= before.descriptors + 3
