from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.class_outputs import ClassificationTask
from inference.errors import ManifestError
from inference.heads.yolox import YoloxHead
from inference.manifest import (
    DetectionTask,
    InputSpec,
    inside,
    listed_files,
    load_manifest,
)
from tests.support.models import MANIFESTS, tiny_folder

DETECTION: dict[str, Any] = {
    "task": "detection",
    "labels": ["car", "person"],
    "vehicles": ["car"],
    "output": {"format": "yolox", "strides": [8, 16, 32]},
}
INPUT: dict[str, Any] = {
    "name": "images",
    "layout": "NHWC",
    "width": 640,
    "height": 480,
    "dtype": "float16",
    "color": "BGR",
    "resize": "letterbox",
    "anchor": "top-left",
    "pad_value": 114,
    "multiple": 32,
    "scale": 0.5,
    "mean": [1, 2, 3],
    "std": [4, 5, 6],
    "batch": True,
}


def test_every_field_is_read(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path, "cars", **DETECTION, input=INPUT, licence="MIT", source="here")
    manifest = load_manifest(folder)

    assert manifest.name == "cars"
    assert manifest.version == "1.0.0"
    assert manifest.file == folder / "model.onnx"
    assert len(manifest.sha256) == 64
    assert manifest.licence == "MIT"
    assert manifest.source == "here"
    assert manifest.input == InputSpec(
        name="images",
        layout="NHWC",
        width=640,
        height=480,
        dtype="float16",
        color="BGR",
        resize="letterbox",
        anchor="top-left",
        pad_value=114,
        scale=0.5,
        mean=(1.0, 2.0, 3.0),
        std=(4.0, 5.0, 6.0),
        batch=True,
        multiple=32,
    )
    assert manifest.task == DetectionTask(
        ("car", "person"), frozenset({"car"}), YoloxHead(2, (8, 16, 32), 0.45)
    )


def test_labels_may_stand_in_a_file(tmp_path: Path) -> None:
    output = {"name": "scores", "activation": "none", "labels_file": "labels.txt"}
    folder = tiny_folder(tmp_path, output={"format": "classes", "outputs": [output]})
    (folder / "labels.txt").write_text("RENAULT CLIO\nCITROËN C3 \n\n", encoding="utf-8")
    task = load_manifest(folder).task

    assert isinstance(task, ClassificationTask)
    assert task.outputs[0].labels == ("RENAULT CLIO", "CITROËN C3")


def changed(**changes: Any) -> dict[str, Any]:
    return {**DETECTION, **changes}


def with_input(**changes: Any) -> dict[str, Any]:
    return changed(input={**INPUT, **changes})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "name of another folder": ({"name": "bus"}, "name must be 'cars', the name of its folder"),
    "name that is a path": ({"name": "../cars"}, "must be lower-case letters"),
    "no version": ({"version": ""}, "cars/manifest.json.version must be text"),
    "task": ({"task": "segmentation"}, "task must be one of classification, detection"),
    "checksum": ({"sha256": "abc"}, "sha256 must be 64 lower-case hex digits"),
    "licence": ({"licence": None}, "licence must be text"),
    "file above": ({"file": "../model.onnx"}, "is not inside the model's folder"),
    "file below": ({"file": "a/model.onnx"}, "is not inside the model's folder"),
    "file elsewhere": ({"file": "/etc/passwd"}, "is not inside the model's folder"),
    "file with a null byte": ({"file": "model\x00.onnx"}, "is not inside the model's folder"),
    "file with a line break": ({"file": "model\n.onnx"}, "is not inside the model's folder"),
    "file that can't be encoded": ({"file": "\ud800"}, "is not inside the model's folder"),
    "file that is the folder": ({"file": "."}, "is not inside the model's folder"),
    "unknown field": ({"licence_url": "x"}, r"unknown fields \['licence_url'\]"),
    "input is text": ({"input": "images"}, "input must be a JSON object"),
    "layout": (with_input(layout="CHW"), "input.layout must be one of NCHW, NHWC"),
    "colour": (with_input(color="GRAY"), "input.color must be one of BGR, RGB"),
    "resize": (with_input(resize="crop"), "input.resize must be one of letterbox, square-pad"),
    "width of 0": (with_input(width=0), "input.width must be a whole number from 1 to 4096"),
    "width as text": (with_input(width="640"), "input.width must be a whole number"),
    "width true": (with_input(width=True), "input.width must be a whole number"),
    "two means": (with_input(mean=[1, 2]), "input.mean must be three numbers"),
    "huge mean": (with_input(mean=[10**400, 0, 0]), "three numbers from -1e[+]06 to 1e[+]06"),
    "mean that is none": (with_input(mean=[float("nan")] * 3), "input.mean must be three numbers"),
    "endless std": (with_input(std=[float("inf"), 1, 1]), "input.std must be three numbers"),
    "std of 0": (with_input(std=[1, 0, 1]), "input.std must be three numbers other than 0"),
    "a multiple that does not divide": (
        with_input(width=640, height=480, resize="letterbox", multiple=31),
        "input.multiple must be a divisor of width and height, with resize letterbox",
    ),
    "a multiple of what is stretched": (
        with_input(resize="stretch", multiple=1),
        "input.multiple must be a divisor",
    ),
    "normalised bytes": (
        with_input(dtype="uint8"),
        "dtype must be a type other than uint8 if",
    ),
    "signed bytes that are not normalised": (
        changed(
            input={
                "layout": "NCHW",
                "width": 8,
                "height": 8,
                "color": "RGB",
                "resize": "stretch",
                "dtype": "int8",
            }
        ),
        "input.mean is missing. It must be three numbers such as",
    ),
    "misspelt": (
        with_input(colour="RGB"),
        r"unknown fields \['colour'\]\. Known fields: anchor, batch",
    ),
    "no labels": (changed(labels=[]), "labels must be a list of texts"),
    "labels of numbers": (changed(labels=[1, 2]), "labels must be a list of texts"),
    "no such labels file": (
        changed(labels_file="labels.txt"),
        "in the model's folder .no such file",
    ),
    "vehicle without a label": (changed(vehicles=["tank"]), "vehicles must be a list of names"),
    "head of a list": (changed(output={"format": []}), "output.format must be one of boxes"),
    "no head": (changed(output={}), "output.format is missing"),
    "no outputs": (
        {"output": {"format": "classes", "outputs": []}},
        "output.outputs must be a list of objects",
    ),
    "activation": (
        {"output": {"format": "classes", "outputs": [{"name": "a", "labels": ["b"]}]}},
        r"outputs\[0\].activation is missing\. It must be one of none, softmax",
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path, "cars", **changes)
    with pytest.raises(ManifestError, match=message):
        load_manifest(folder)


NOT_JSON = {
    "nothing": None,
    "text": b"hello",
    "not UTF-8": b"\xff\xfe{}",
    "a list": b"[]",
    "nested too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_a_file_that_is_no_manifest(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        load_manifest(tmp_path)


NO_OUTLINES: dict[str, bytes] = {
    "no checksum": b"{}",
    "checksum that is a number": b'{"sha256": 1}',
    "file that is a number": b'{"file": 1, "sha256": ""}',
    "file that is a list": b'{"file": [], "sha256": ""}',
    "labels file that is null": b'{"labels_file": null, "sha256": ""}',
    "nested too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", NO_OUTLINES.values(), ids=NO_OUTLINES)
def test_a_file_that_is_not_even_the_outline_of_a_manifest(content: bytes) -> None:
    with pytest.raises(ManifestError, match=r"The manifest\.json is invalid"):
        listed_files(content)


@pytest.mark.promise("manifest-checked")
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "cars"
    folder.mkdir()
    (folder / "model.onnx").symlink_to(tmp_path / "secret")
    with pytest.raises(ManifestError, match="not inside"):
        inside(folder, "model.onnx")


@pytest.mark.parametrize("name", sorted(path.name for path in MANIFESTS.iterdir()))
def test_the_manifests_of_published_models_hold_no_published_file(name: str) -> None:
    files = [path.name for path in (MANIFESTS / name).iterdir()]
    values = json.loads((MANIFESTS / name / "manifest.json").read_text())

    assert files == ["manifest.json"]
    assert values["name"] == name
