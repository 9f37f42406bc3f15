from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.manifest import MANIFEST_FILE
from scripts.models.__main__ import main
from scripts.models.catalogue import CATALOGUE, fetch_model, install_entry, read_catalogue
from scripts.models.download import ATTEMPTS, bar, download
from scripts.models.errors import ToolError
from scripts.models.findings import nested
from tests.support.graphs import Array, Axes, fixed_onnx, yolov8_columns
from tests.support.models import MANIFESTS, SHARED

MODEL = fixed_onnx({"output0": yolov8_columns(2)})
CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """A web server on loopback with configurable failures."""

    url: str = ""
    content: bytes = CONTENT
    failures: list[str | None] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    knows_ranges: bool = True

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        failure = self.failures.pop(0) if self.failures else None
        if failure and failure.isdigit():
            request.send_response(int(failure))
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        start = 0
        if asked and self.knows_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            request.send_response(206)
            first = 0 if failure == "another part" else start
            end = len(self.content)
            request.send_header("Content-Range", f"bytes {first}-{end - 1}/{end}")
        else:
            request.send_response(200)
        rest = self.content[start:]
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        request.wfile.write(rest[: len(rest) // 2] if failure == "breaks off" else rest)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        state.url = f"http://127.0.0.1:{listening.server_port}/model.onnx"
        yield state
        listening.shutdown()


def fetch(server: Server, path: Path, sha256: str = SHA256, size: int = len(CONTENT)) -> list[int]:
    """Download the server's file; return the progress after every chunk."""
    steps: list[int] = []
    waits: list[float] = []
    download(server.url, path, sha256, size, lambda done, _: steps.append(done), wait=waits.append)
    return steps


def test_a_download(server: Server, tmp_path: Path) -> None:
    steps = fetch(server, tmp_path / "new" / "file")

    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
    assert steps == sorted(steps)
    assert steps[-1] == len(CONTENT)


def test_a_broken_download_is_resumed(server: Server, tmp_path: Path) -> None:
    server.failures = ["breaks off", "503", "breaks off", None]
    fetch(server, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=114688-", "bytes=114688-", "bytes=180224-"]


def test_the_next_call_resumes(server: Server, tmp_path: Path) -> None:
    server.failures = ["breaks off"] * ATTEMPTS
    with pytest.raises(ToolError):
        fetch(server, tmp_path / "file")
    assert not (tmp_path / "file").exists()

    fetch(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=229376-"


def test_a_server_without_ranges(server: Server, tmp_path: Path) -> None:
    server.knows_ranges = False
    server.failures = ["breaks off", None]
    fetch(server, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_sends_another_range(server: Server, tmp_path: Path) -> None:
    server.failures = ["breaks off", "another part", None]
    fetch(server, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.ranges[-1] is None


def test_a_partial_file_that_is_too_long_is_restarted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT + b"more")
    fetch(server, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_file_with_another_checksum_is_deleted(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[::-1]
    with pytest.raises(ToolError):
        fetch(server, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_longer_file_is_not_read_to_its_end(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ToolError):
        fetch(server, tmp_path / "file", size=1000)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_not_retried(server: Server, tmp_path: Path) -> None:
    server.failures = ["404"]
    with pytest.raises(ToolError):
        fetch(server, tmp_path / "file")
    assert len(server.ranges) == 1


def test_no_connection(tmp_path: Path) -> None:
    waits: list[float] = []
    nobody = "http://127.0.0.1:1/model.onnx"
    with pytest.raises(ToolError):
        download(nobody, tmp_path / "f", SHA256, 256000, lambda *_: None, wait=waits.append)
    assert waits == [1, 2, 4, 8]


def test_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(ToolError):
        download("http://127.0.0.1:1/", tmp_path / "f", SHA256, 10**18, lambda *_: None)


def test_the_progress_bar() -> None:
    assert bar("resnet18", 23410368, 46820737) == (
        "resnet18 [##############................] 23.4 of 46.8 MB"
    )
    assert bar("x", 5, 5) == f"x [{'#' * 30}] 0.0 of 0.0 MB"


def catalogue(tmp_path: Path, server: Server, **changes: Any) -> Path:
    entry = {
        "url": server.url, "sha256": hashlib.sha256(MODEL).hexdigest(), "bytes": len(MODEL),
        "licence": "Apache-2.0", "version": "1", "source": "made for tests",
        "labels": str(tmp_path / "labels"), "vehicles": ["car"],
        "fields": {"task": "detection", "input.color": "BGR"},
    }  # fmt: skip
    (tmp_path / "labels").write_text("car\nperson\n")
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps({"tiny": {**entry, **changes}}))
    server.content = MODEL
    return path


def test_fetch(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = tmp_path / "models"
    arguments = ["--models", str(base), "--catalogue", str(catalogue(tmp_path, server))]

    assert main(["fetch", "tiny", *arguments]) == 0
    assert "Apache-2.0" in capsys.readouterr().out
    assert [path.name for path in base.iterdir()] == ["tiny"]
    values = json.loads((base / "tiny" / MANIFEST_FILE).read_text())
    assert values["sha256"] == hashlib.sha256(MODEL).hexdigest()
    assert values["input"]["color"] == "BGR"
    assert values["labels"] == ["car", "person"]
    assert main(["list", "--models", str(base)]) == 0

    assert main(["fetch", "tiny", *arguments]) == 1
    assert "--replace" in capsys.readouterr().err
    assert main(["fetch", "tiny", "--replace", *arguments]) == 0
    assert len(server.ranges) == 2


def test_a_download_is_kept_if_the_model_does_not_load(server: Server, tmp_path: Path) -> None:
    base = tmp_path / "models"
    [entry] = read_catalogue(catalogue(tmp_path, server, labels="coco80")).values()
    with pytest.raises(ToolError):
        fetch_model(base, entry, lambda *_: None)
    [entry] = read_catalogue(catalogue(tmp_path, server)).values()
    fetch_model(base, entry, lambda *_: None)

    assert len(server.ranges) == 1


def test_an_unknown_name_lists_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fetch", "resnet50"]) == 1
    assert "resnet18, mobilenet_v2" in capsys.readouterr().err
    assert main(["fetch"]) == 0
    assert re.search(r"ssd_mobilenet_v1_int8 +9.5 MB +Apache-2.0", capsys.readouterr().out)


WRONG: dict[str, dict[str, Any]] = {
    "no checksum": {"sha256": "abc"},
    "no url": {"url": "ftp://a/b"},
    "no size": {"bytes": "12"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_catalogue(changes: dict[str, Any], server: Server, tmp_path: Path) -> None:
    with pytest.raises(ToolError):
        read_catalogue(catalogue(tmp_path, server, **changes))


Inputs = dict[str, tuple[str, Axes]]
PROBABILITIES = np.full((1, 1000), 0.001, np.float32)
LOGITS = np.arange(1000, dtype=np.float32)[np.newaxis] / 99
SSD: dict[str, Array] = {
    "detection_boxes": np.zeros((1, 100, 4), np.float32),
    "detection_classes": np.full((1, 100), 3, np.float32),
    "detection_scores": np.zeros((1, 100), np.float32),
    "num_detections": np.full(1, 100, np.float32),
}
ZOO: dict[str, tuple[dict[str, Array], Inputs]] = {
    "resnet18": ({"resnetv15_dense0_fwd": LOGITS}, {"data": ("float32", ("N", 3, 224, 224))}),
    "mobilenet_v2": ({"output": LOGITS}, {"input": ("float32", ("batch_size", 3, 224, 224))}),
    "squeezenet1.1": (
        {"squeezenet0_flatten0_reshape0": LOGITS}, {"data": ("float32", (1, 3, 224, 224))},
    ),
    "efficientnet_lite4": (
        {"Softmax:0": PROBABILITIES}, {"images:0": ("float32", (1, 224, 224, 3))},
    ),
    "ssd_mobilenet_v1": (SSD, {"inputs": ("uint8", (1, "height", "width", 3))}),
    "ssd_mobilenet_v1_int8": (SSD, {"inputs": ("uint8", (1, "height", "width", 3))}),
    "squeezenet_winml": (
        {"softmaxout_1": PROBABILITIES.astype(np.float16)[:, :, np.newaxis, np.newaxis]},
        {"data_0": ("float16", (1, 3, 224, 224))},
    ),
}  # fmt: skip
NORMALISED = {"scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
INPUTS: dict[str, dict[str, Any]] = {
    **{
        name: {"layout": "NCHW", "width": 224, "dtype": "float32", "color": "RGB", **NORMALISED}
        for name in ("resnet18", "mobilenet_v2", "squeezenet1.1")
    },
    "efficientnet_lite4": {
        "layout": "NHWC", "height": 224, "color": "RGB", "scale": 1, "mean": [127] * 3,
        "std": [128] * 3,
    },
    **{
        name: {"layout": "NHWC", "width": 300, "height": 300, "dtype": "uint8", "color": "RGB"}
        for name in ("ssd_mobilenet_v1", "ssd_mobilenet_v1_int8")
    },
    "squeezenet_winml": {
        "layout": "NCHW", "dtype": "float16", "color": "BGR", "mean": [104, 117, 123],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ZOO)
def test_the_manifest_of_a_documented_file(name: str, tmp_path: Path) -> None:
    """Use a tiny file with the documented inputs and outputs."""
    outputs, inputs = ZOO[name]
    file = tmp_path / "model.onnx"
    batched = name in ("resnet18", "mobilenet_v2")
    file.write_bytes(fixed_onnx(outputs, inputs, producer="zoo", batched=batched))
    folder = install_entry(tmp_path, file, read_catalogue()[name])
    values = json.loads((folder / MANIFEST_FILE).read_text())

    assert {key: values["input"][key] for key in INPUTS[name]} == INPUTS[name]
    assert values["name"] == name
    if values["task"] == "detection":
        assert values["output"]["format"] == "ssd"
        assert values["output"]["first_class"] == 1
        assert values["vehicles"] == ["car", "motorcycle", "bus", "truck"]
        assert (folder / "labels.txt").read_text().splitlines()[2] == "car"
    else:
        [output] = values["output"]["outputs"]
        assert output["name"] == next(iter(outputs))
        assert output["activation"] == ("softmax" if outputs[output["name"]] is LOGITS else "none")
        assert (folder / "labels.txt").read_text().splitlines()[817] == "sports car"


@pytest.mark.parametrize("name", ["yolox_nano", "picodet_s_416"])
def test_the_manifest_of_a_published_file(name: str, tmp_path: Path, shared: Path) -> None:
    [file] = (SHARED / "models" / name).glob("*.onnx")
    entry = read_catalogue()[name]
    assert file.stat().st_size == entry.size
    assert hashlib.sha256(file.read_bytes()).hexdigest() == entry.sha256
    folder = install_entry(tmp_path, file, entry)
    values = json.loads((folder / MANIFEST_FILE).read_text())
    known = json.loads((MANIFESTS / name / MANIFEST_FILE).read_text())

    assert {"dtype": "float32", "scale": 1, **known["input"]} == {"scale": 1, **values["input"]}
    assert known["output"] == values["output"]
    assert known["vehicles"] == values["vehicles"]
    published = (SHARED / "models" / "coco80.txt").read_text().splitlines()
    assert (folder / "labels.txt").read_text().splitlines() == published


def test_every_entry_is_tested() -> None:
    assert set(read_catalogue(CATALOGUE)) == {*ZOO, "yolox_nano", "picodet_s_416"}
    assert nested([]) == {}
