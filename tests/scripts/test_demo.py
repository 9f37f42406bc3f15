"""The demo sends pictures, shows the results, and leaves no process behind."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scripts import demo
from scripts.demo import SAMPLES, main, readable

VEHICLE = {
    "x1": 40,
    "y1": 60,
    "x2": 200,
    "y2": 180,
    "class_name": "car",
    "confidence": 0.9512,
    "label": "van: 0.8123",
    "pred": ["van", "car"],
    "prob": [0.8123, 0.1502],
}


def image_element(filename: str, **fields: object) -> dict[str, Any]:
    return {"filename": filename, "predictions": [VEHICLE], "error": None, **fields}


class Api(ThreadingHTTPServer):
    """A server that returns `answer` to every POST and records the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ApiHandler)
        self.status = 200
        self.answer: object = {}
        self.asked: list[tuple[str, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _ApiHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Api)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, body))
        answer = json.dumps(self.server.answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "my car.png"
    Image.new("RGB", (320, 240), (90, 90, 90)).save(path)
    return path


def test_all_samples_go_in_one_request(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md")
    api.answer = {"images": [image_element(name) for name in names]}
    assert main(["--url", api.url, "--out", str(tmp_path)]) == 0
    [(path, body)] = api.asked
    assert path == "/predict?details=true"
    assert body.count(b'name="image"') == len(names) >= 6
    assert all(f'filename="{name}"'.encode() in body for name in names)
    printed = capsys.readouterr().out
    pictures = sorted(str(path) for path in tmp_path.iterdir())
    assert len(pictures) == len(names)
    answer, end = json.JSONDecoder().raw_decode(printed)
    assert answer == api.answer
    assert printed[end:].split("\n") == ["", *pictures, ""]


def test_the_saved_picture_has_the_boxes(api: Api, photo: Path, tmp_path: Path) -> None:
    api.answer = {"images": [image_element(photo.name)]}
    assert main(["--url", api.url + "/", "--out", str(tmp_path / "out"), str(photo)]) == 0
    with Image.open(tmp_path / "out" / "01-my car.jpg") as saved:
        assert saved.size == (320, 240)
        difference = np.abs(np.asarray(saved, np.int16) - 90).max(axis=2)
    assert difference[61:180, 40].min() > 30
    assert difference[200:, :].max() < 30


def test_a_failed_picture_is_named_and_the_others_are_saved(
    api: Api, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = {"code": "not_an_image", "message": "This is not a picture."}
    broken = tmp_path / "notes.txt"
    broken.write_text("no picture")
    api.answer = {
        "images": [
            image_element("notes.txt", predictions=[], error=error),
            image_element(photo.name),
        ]
    }
    assert main(["--url", api.url, "--out", str(tmp_path / "out"), str(broken), str(photo)]) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["02-my car.jpg"]
    assert capsys.readouterr().err == "notes.txt: This is not a picture.\n"


def test_a_refused_request_says_why(
    api: Api, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.status = 413
    api.answer = {"error": {"code": "too_large", "message": "Send fewer pictures."}}
    assert main(["--url", api.url, str(photo)]) == 1
    assert "Send fewer pictures." in capsys.readouterr().err


def test_another_answer_is_shown(api: Api, photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    api.answer = ["hello"]
    assert main(["--url", api.url, str(photo)]) == 1
    assert '["hello"]' in capsys.readouterr().err


def test_a_missing_photo_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no/such.jpg", str(SAMPLES / "car.jpg")]) == 1
    assert "no/such.jpg" in capsys.readouterr().err


def test_no_api_at_the_address(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "http://127.0.0.1:1", str(photo)]) == 1
    assert "http://127.0.0.1:1" in capsys.readouterr().err


def test_an_api_that_does_not_start_shows_its_output(
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "local_api.py").write_text("raise SystemExit('port 3000 is taken')")
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    assert main([str(photo)]) == 1
    assert "port 3000 is taken" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, "1.5"),
        ([], "[]"),
        ({"a": [1, 2], "b": None}, '{"a": [1, 2], "b": null}'),
        (["x" * 60, "y" * 60], f'[\n  "{"x" * 60}",\n  "{"y" * 60}"\n]'),
        (
            {"é": {"k": "x" * 40, "l": "y" * 50}, "m": 1},
            f'{{\n  "é": {{\n    "k": "{"x" * 40}",\n    "l": "{"y" * 50}"\n  }},\n  "m": 1\n}}',
        ),
    ],
    ids=["number", "empty list", "short", "long list", "nested"],
)
def test_readable(value: object, expected: str) -> None:
    assert readable(value) == expected
    assert json.loads(readable(value)) == value


def test_the_local_api_is_started_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Process(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Process)
    assert main(["--out", str(tmp_path), str(SAMPLES / "car.jpg")]) == 0
    assert '"class_name": "car"' in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["01-car.jpg"]
    [process] = started
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):  # The API leads a process group, which is now empty.
        os.killpg(process.pid, 0)
