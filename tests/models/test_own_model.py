"""docs/models.md from a bare ONNX file to the API's answer, and its tables against the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.errors import ManifestError
from inference.heads import HEADS, read_head
from inference.json_reader import JsonReader
from inference.manifest import MANIFEST_FILE, load_manifest
from scripts.demo import running
from scripts.models.catalogue import read_catalogue
from tests.support.graphs import cells, fixed_onnx
from tests.support.models import MANIFESTS, SHARED
from tests.support.tables import cells as table_cells
from tests.support.tables import quoted

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "models.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
SHORT, _, STEPS = TEXT.partition("## Look at it")
FENCES = re.findall(r"^```(\w+)\n(.*?)^```$", STEPS, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for kind, text in FENCES if kind == "shell"]
LOCAL_URL = "http://127.0.0.1:3000"
MAX_PIXELS_OFF = 4
MAX_SCORE_OFF = 0.05
MINIVAN = 656


def tiny_files(downloads: Path) -> None:
    """Files of the documented names with the outputs of the documented models.

    The detector finds a car in the middle of every picture, the classifier a minivan.
    """
    rows = np.zeros((1, cells(8, 16, 32), 85), np.float32)
    rows[0, 27] = [1, 1, np.log(4), np.log(4), 0.9, *([0] * 80)]  # Cell (3, 3) of stride 8.
    rows[0, 27, 5 + 2] = 1
    inputs = {"images": ("float32", (1, 3, 64, 64))}
    (downloads / "yolox_nano.onnx").write_bytes(fixed_onnx({"output": rows}, inputs))
    classes = np.full((1, 1000, 1, 1), 0.2 / 999, np.float32)
    classes[0, MINIVAN] = 0.8
    squeezenet = fixed_onnx({"softmaxout_1": classes}, inputs, producer="onnx-caffe2")
    (downloads / "SqueezeNet_fp32.onnx").write_bytes(squeezenet)


def published_files(downloads: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared (published models, photos and corpora) is not here")
    for path in ("yolox_nano/yolox_nano.onnx", "squeezenet/SqueezeNet_fp32.onnx"):
        (downloads / Path(path).name).write_bytes((SHARED / "models" / path).read_bytes())


def labelled_files(folder: Path) -> None:
    """Write a picture of YOLO's format, of a car."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "samples" / "car.jpg", folder / "images")
    (folder / "labels" / "car.txt").write_text("0 0.5 0.6 0.6 0.4\n")
    (folder / "data.yaml").write_text("names: [car]\n")


@pytest.mark.parametrize(
    "files", [tiny_files, pytest.param(published_files, marks=pytest.mark.slow)]
)
def test_the_commands_lead_to_a_local_answer(files: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "Downloads").mkdir()
    files(tmp_path / "Downloads")
    labelled_files(tmp_path / "labelled")
    port = free_port()
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "BASE_MODEL_PATH": str(tmp_path / "models"),
    }

    def run(command: str) -> str:
        command = command.replace(".venv/bin/python", sys.executable)
        if " check " in command:
            command += f" --out {tmp_path / 'out'}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.replace("curl ", "curl -sS ")],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    [start] = [command for command in COMMANDS if command.endswith("make start")]
    [ask] = [command for command in COMMANDS if command.startswith("curl")]
    tools = [command for command in COMMANDS if command not in (start, ask)]
    assert [command.split()[3] for command in tools] == [
        "inspect", "add", "add", "check", "check", "bench", "list",
    ]  # fmt: skip
    shown = [run(command) for command in tools]

    assert "yolox_nano                   detector of 80 classes" in shown[-1]
    assert "squeezenet                   classifier of 1000 classes" in shown[-1]
    assert len(list((tmp_path / "out" / "yolox_nano").iterdir())) == 7
    local_api = f"exec {sys.executable} -m scripts.local_api --port {port}"
    script = start.replace("make start", local_api)
    script = f"export BASE_MODEL_PATH={tmp_path / 'models'}; {script}"
    with running(["bash", "-euc", script], f"http://127.0.0.1:{port}"):
        answer = json.loads(run(ask.replace(LOCAL_URL, f"http://127.0.0.1:{port}")))

    if files is published_files:
        [expected] = [text for kind, text in FENCES if kind == "json"]
        assert_alike(json.loads(expected), answer)
        [inspected] = [text for kind, text in FENCES if kind == "text" and "inputs" in text]
        assert shown[0].rstrip() == inspected.rstrip()
    else:
        with Image.open(ROOT / "samples" / "car.jpg") as picture:
            width = picture.width
        [[car]] = answer
        assert car["class_name"] == "car"
        # The middle 32 of 64 columns of the letterbox, which are all of the width.
        assert (car["x1"], car["x2"]) == (width / 4, width * 3 / 4)
        assert (car["pred"][0], car["prob"][0]) == ("minivan", 0.8)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def assert_alike(shown: Any, real: Any, key: str = "") -> None:
    """Names and structure are the same; boxes and scores may differ a little between CPUs."""
    if isinstance(shown, dict):
        assert list(shown) == list(real)
        for name, value in shown.items():
            assert_alike(value, real[name], name)
    elif isinstance(shown, list):
        assert len(shown) == len(real), key
        for shown_item, real_item in zip(shown, real, strict=True):
            assert_alike(shown_item, real_item, key)
    elif isinstance(shown, int | float):
        most = MAX_PIXELS_OFF if isinstance(shown, int) else MAX_SCORE_OFF
        assert abs(shown - real) <= most, key
    elif key == "label":
        assert shown.split(": ")[0] == real.split(": ")[0]
    else:
        assert shown == real, key


def rows(*headings: str) -> list[list[str]]:
    """The rows of the document's table with these first headings, cell by cell."""
    return table_cells(TEXT, *headings)


def known_fields(read: Callable[[], object]) -> set[str]:
    """The fields that a complaint about an unknown one lists."""
    with pytest.raises(ManifestError, match="unknown fields") as raised:
        read()
    return set(re.findall(r"\w+", str(raised.value).partition("Known fields: ")[2]))


def with_unknown(tmp_path: Path, name: str, place: Callable[[Any], Any]) -> set[str]:
    """The fields that an object of a manifest may have."""
    source = MANIFESTS / name / MANIFEST_FILE
    folder = tmp_path / name
    folder.mkdir()
    for file in ("coco80.txt", "labels.txt"):
        (folder / file).write_text("\n".join(map(str, range(80))))
    values = json.loads(source.read_text())
    if "vehicles" in values:
        values.update(vehicles=["1"])
    place(values)["of nobody"] = 1
    (folder / MANIFEST_FILE).write_text(json.dumps(values))
    return known_fields(lambda: load_manifest(folder))


def test_the_manifests_fields_are_those_of_the_code(tmp_path: Path) -> None:
    documented = {name for field, _ in rows("field") for name in quoted(field)}
    documented |= {"input", "output"}
    known = with_unknown(tmp_path, "yolox_nano", lambda values: values)
    known |= {
        f"input.{name}"
        for name in with_unknown(tmp_path, "picodet_s_416", lambda values: values["input"])
    }
    output = with_unknown(tmp_path, "vehicle_attributes_0039", lambda values: values["output"])
    known |= {f"output.{name}" for name in output}

    assert {name for name in documented if name != "labels"} == known - {"labels"}
    assert "labels" in documented


def test_the_fields_of_a_classifiers_outputs_are_those_of_the_code(tmp_path: Path) -> None:
    def first(values: Any) -> Any:
        return values["output"]["outputs"][0]

    known = with_unknown(tmp_path, "vehicle_attributes_0039", first)
    [text] = [text for field, text in rows("field") if field == "`output.outputs`"]
    assert known <= set(quoted(text))


HEADS_FIELDS: dict[str, dict[str, Any]] = {
    "boxes": {},
    "detr": {"activation": "sigmoid"},
    "picodet": {"scores": ["a"], "distances": ["b"], "strides": [8]},
    "rows": {},
    "scored": {},
    "ssd": {"boxes": "a", "classes": "b", "scores": "c"},
    "yolov5": {},
    "yolov8": {},
    "yolox": {"strides": [8]},
}


@pytest.mark.parametrize("name", HEADS)
def test_a_formats_fields_are_those_of_the_code(name: str) -> None:
    values = {"format": name, **HEADS_FIELDS[name], "of nobody": 1}
    known = known_fields(lambda: read_head(JsonReader("output", values), 2)) - {"format"}
    table = [row for row in rows("format", "field") if name in quoted(row[0])]

    assert {field for row in table for field in quoted(row[1])} == known
    # The default stands at the end of its row.
    for field, text in ((row[1], row[2]) for row in table if "nms_iou" in row[1]):
        head = read_head(
            JsonReader("output", {k: v for k, v in values.items() if k != "of nobody"}), 2
        )
        assert text.endswith(str(getattr(head, quoted(field)[0])))


def test_the_formats_are_those_of_the_code() -> None:
    assert {quoted(row[0])[0] for row in rows("format", "outputs")} == {*HEADS, "classes"}


def test_the_catalogue_is_the_documented_one() -> None:
    documented = {quoted(name)[0]: licence for name, _, licence in rows("name", "what it is")}
    assert documented == {entry.name: entry.licence for entry in read_catalogue().values()}


def test_troubles_name_fields_that_there_are() -> None:
    fields = {name for field, _ in rows("field") for name in quoted(field)}
    fields |= {f"output.{name}" for row in rows("format", "field") for name in quoted(row[1])}
    named = {
        name
        for row in rows("what you see")
        for name in quoted(row[2])
        if name.startswith(("input.", "output."))
    }
    assert len(named) > 8
    assert named <= fields


def test_the_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(links) >= 5
    for link in links:
        path, _, anchor = link.partition("#")
        target = DOCUMENT.parent / path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^a-z0-9 -]", "", each.lower()) for each in headings]
            assert anchor in [slug.replace(" ", "-") for slug in slugs], link
