from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.heads import HEADS
from scripts.models.__main__ import main
from scripts.models.errors import ToolError
from scripts.models.findings import nested
from scripts.models.graph import read_graph
from scripts.models.guess import FORMATS_TEXT, Guess, guess
from tests.support.graphs import (
    PICTURE,
    Array,
    Inputs,
    cells,
    detr_outputs,
    finished_rows,
    fixed_onnx,
    yolov5_rows,
    yolov8_columns,
)
from tests.support.models import SHARED


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def guessed(tmp_path: Path, model: bytes) -> Guess:
    file = tmp_path / "model.onnx"
    file.write_bytes(model)
    return guess(read_graph(file))


NHWC: Inputs = {"image": ("uint8", (1, 64, 64, 3))}
TENSORFLOW = {
    "num_detections": zeros(1),
    "detection_boxes": zeros(1, 10, 4),
    "detection_scores": zeros(1, 10),
    "detection_classes": zeros(1, 10),
}
FINISHED = {"labels": np.zeros((1, 3), np.int64), "boxes": zeros(1, 3, 4), "scores": zeros(1, 3)}
PICODET = {
    **{f"s{i}": zeros(1, cells(stride), 2) for i, stride in enumerate((8, 16, 32))},
    **{f"d{i}": zeros(1, cells(stride), 32) for i, stride in enumerate((8, 16, 32))},
}
SOFTMAX = {"logits": zeros(1, 100, 92), "pred_boxes": zeros(1, 100, 4)}

DETECTORS: dict[str, tuple[dict[str, Array], Inputs, dict[str, Any], int | None]] = {
    "YOLOX": (
        {"output": zeros(1, cells(8, 16, 32), 7)},
        PICTURE,
        {
            "input.color": "BGR", "input.resize": "letterbox", "input.anchor": "top-left",
            "output.format": "yolox", "output.strides": [8, 16, 32],
        },
        2,
    ),
    "YOLOv5": (
        {"output0": yolov5_rows()},
        PICTURE,
        {
            "input.color": "RGB", "input.resize": "letterbox", "input.scale": 1 / 255,
            "input.pad_value": 114, "output.format": "yolov5", "output.predictions": None,
        },
        2,
    ),
    "YOLOv5 with its grids": (
        {"output": yolov5_rows(), "350": zeros(1, 3, 8, 8, 7)},
        PICTURE,
        {"output.format": "yolov5", "output.predictions": "output"},
        2,
    ),
    "YOLOv8": ({"output0": yolov8_columns(20)}, PICTURE, {"output.format": "yolov8"}, 20),
    "YOLOv10": (
        {"output0": finished_rows()},
        PICTURE,
        {
            "output.format": "rows", "input.scale": 1 / 255,
            "output.columns": ["x1", "y1", "x2", "y2", "score", "class"],
        },
        None,
    ),
    "YOLOv7 end to end": (
        {"output": zeros(3, 7)},
        PICTURE,
        {
            "output.format": "rows",
            "output.columns": ["batch", "x1", "y1", "x2", "y2", "class", "score"],
        },
        None,
    ),
    "PaddleDetection": (
        {"boxes": zeros(3, 6), "count": np.zeros(1, np.int32)},
        {"image": ("float32", (1, 3, 64, 64)), "scale_factor": ("float32", (1, 2))},
        {
            "output.format": "rows", "output.predictions": "boxes",
            "output.columns": ["class", "score", "x1", "y1", "x2", "y2"],
            "input.constants": {"scale_factor": [[1, 1]]},
            "input.mean": [0.485, 0.456, 0.406],
        },
        None,
    ),
    "PicoDet": (
        PICODET,
        PICTURE,
        {
            "output.format": "picodet", "output.scores": ["s0", "s1", "s2"],
            "output.distances": ["d0", "d1", "d2"], "output.reg_max": 7,
        },
        2,
    ),
    "TensorFlow": (
        TENSORFLOW,
        NHWC,
        {
            "input.layout": "NHWC", "input.dtype": "uint8", "input.resize": "stretch",
            "output.format": "ssd", "output.boxes": "detection_boxes",
            "output.count": "num_detections", "output.first_class": 1,
        },
        None,
    ),
    "TFLite": (
        {
            "TFLite_PostProcess": zeros(1, 10, 4), "TFLite_PostProcess:1": zeros(1, 10),
            "TFLite_PostProcess:2": zeros(1, 10), "TFLite_PostProcess:3": zeros(1),
        },
        NHWC,
        {"output.scores": "TFLite_PostProcess:2", "output.first_class": 0},
        None,
    ),
    "DETR": (
        SOFTMAX,
        {"pixel_values": ("float32", (1, 3, 64, 64)), "pixel_mask": ("int64", (1, 64, 64))},
        {
            "output.format": "detr", "output.activation": "softmax",
            "input.constants": {"pixel_mask": 1}, "input.std": [0.229, 0.224, 0.225],
        },
        91,
    ),
    "RT-DETR of transformers": (
        {"logits": zeros(1, 300, 80), "pred_boxes": zeros(1, 300, 4)},
        PICTURE,
        {"output.activation": "sigmoid", "input.scale": 1 / 255, "input.mean": None},
        80,
    ),
    "RT-DETR of its own repository": (
        FINISHED,
        {**PICTURE, "orig_target_sizes": ("int64", (1, 2))},
        {
            "output.format": "boxes", "output.labels": "labels", "output.boxes": "boxes",
            "input.constants": {"orig_target_sizes": [[64, 64]]}, "input.resize": "stretch",
        },
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "inputs", "fields", "classes"), DETECTORS.values(), ids=DETECTORS
)
def test_detectors_are_recognised(
    outputs: dict[str, Array],
    inputs: Inputs,
    fields: dict[str, Any],
    classes: int | None,
    tmp_path: Path,
) -> None:
    shapes = {"output": ("n", 7)} if outputs.get("output", zeros(1)).shape == (3, 7) else {}
    if "count" in outputs:
        shapes = {"boxes": ("n", 6)}
    found = guessed(tmp_path, fixed_onnx(outputs, inputs, shapes=shapes))

    assert found.problems == ()
    assert found.value("task") == "detection"
    assert {field: found.value(field) for field in fields} == fields
    assert dict(found.classes) == {"": classes}
    assert all(each.reason for each in found.findings)


CLASSIFIERS: dict[str, tuple[dict[str, Array], Inputs, str, dict[str, Any], list[Any]]] = {
    "logits": (
        {"logits": np.array([[4, -2, 1]], np.float32)}, PICTURE, "pytorch",
        {"input.mean": [0.485, 0.456, 0.406], "input.scale": 1 / 255, "input.color": "RGB"},
        [{"name": "logits", "activation": "softmax"}],
    ),
    "probabilities": (
        {"out": np.array([[0.25, 0.75]], np.float32)}, PICTURE, "pytorch", {},
        [{"name": "out", "activation": "none"}],
    ),
    "Caffe, axes of 1 behind": (
        {"prob": np.array([[[[0.25]], [[0.75]]]], np.float32)}, PICTURE, "onnx-caffe2",
        {"input.color": "BGR", "input.mean": [104, 117, 123], "input.scale": None},
        [{"name": "prob", "activation": "none"}],
    ),
    "bytes": (
        {"out": np.array([[64, 191]], np.uint8)}, NHWC, "tf2onnx",
        {"input.layout": "NHWC", "input.dtype": "uint8", "input.mean": None},
        [{"name": "out", "activation": "none", "scale": 1 / 255}],
    ),
    "Keras": (
        {"out": np.array([[0.5, 0.5]], np.float32)}, {"x": ("float32", (1, 64, 64, 3))},
        "tf2onnx", {"input.layout": "NHWC", "input.mean": [1, 1, 1]},
        [{"name": "out", "activation": "none"}],
    ),
    "a batch, 7 classes": (
        {"logits": np.arange(7, dtype=np.float32)[np.newaxis]},
        {"images": ("float32", ("n", 3, 64, 64))}, "pytorch", {"input.batch": True},
        [{"name": "logits", "activation": "softmax"}],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "inputs", "producer", "fields", "entries"), CLASSIFIERS.values(), ids=CLASSIFIERS
)
def test_classifiers_are_recognised(
    outputs: dict[str, Array],
    inputs: Inputs,
    producer: str,
    fields: dict[str, Any],
    entries: list[Any],
    tmp_path: Path,
) -> None:
    shapes = {name: ("n", value.shape[1]) for name, value in outputs.items() if value.ndim == 2}
    batched = "input.batch" in fields
    model = fixed_onnx(outputs, inputs, producer=producer, shapes=shapes, batched=batched)
    found = guessed(tmp_path, model)

    assert found.problems == ()
    assert found.value("task") == "classification"
    assert {field: found.value(field) for field in fields} == fields
    assert found.value("output.outputs") == entries


def test_a_dynamic_batch_is_tested(tmp_path: Path) -> None:
    inputs: Inputs = {"images": ("float32", ("n", 3, 64, 64))}
    found = guessed(tmp_path, fixed_onnx({"logits": zeros(1, 9)}, inputs))

    assert found.value("input.batch") is None


ULTRALYTICS = {
    "author": "Ultralytics", "task": "detect", "imgsz": "[64, 64]", "stride": "32",
    "names": "{0: 'car', 1: 'van'}", "license": "AGPL-3.0 License",
}  # fmt: skip


def test_metadata_gives_labels_and_the_size_of_an_input_that_may_vary(tmp_path: Path) -> None:
    model = fixed_onnx(
        {"output0": yolov8_columns()},
        {"images": ("float32", ("batch", 3, "height", "width"))},
        shapes={"output0": ("batch", 6, "anchors")},
        metadata=ULTRALYTICS,
    )
    found = guessed(tmp_path, model)

    assert found.labels == ("car", "van")
    assert (found.value("input.width"), found.value("input.height")) == (64, 64)
    assert found.value("output.format") == "yolov8"


def test_a_classifier_of_ultralytics_gets_no_padding(tmp_path: Path) -> None:
    model = fixed_onnx(
        {"output0": np.array([[0.25, 0.75]], np.float32)},
        metadata={**ULTRALYTICS, "task": "classify"},
    )
    found = guessed(tmp_path, model)

    assert found.value("input.resize") == "stretch"
    assert found.value("input.scale") == 1 / 255
    assert found.value("input.mean") is None
    assert found.value("output.outputs") == [{"name": "output0", "activation": "none"}]


UNSUPPORTED: dict[str, tuple[dict[str, Array], Inputs, dict[str, str], str]] = {
    "oriented boxes": (
        {"output0": zeros(1, 7, 84)}, PICTURE,
        {**ULTRALYTICS, "task": "obb"}, "'obb'",
    ),
    "YOLOv3's grids": (
        {"a": zeros(1, 255, 8, 8), "b": zeros(1, 255, 4, 4)}, PICTURE, {},
        "raw grids",
    ),
    "gray": ({"o": zeros(1, 9)}, {"x": ("float32", (1, 1, 28, 28))}, {}, "[1, 1, 28, 28]"),
    "text": ({"o": zeros(1, 9)}, {"ids": ("int64", (1, 512))}, {}, "[1, 512]"),
    "a single picture": (
        {"o": zeros(1, 9)}, {"x": ("float32", (3, 64, 64))}, {}, "batch axis",
    ),
    "whole numbers": (
        {"o": zeros(1, 9)}, {"x": ("int32", (1, 3, 64, 64))}, {}, "int32",
    ),
    "an unknown input": (
        detr_outputs(), {**PICTURE, "prompt": ("int64", (1, 16))}, {},
        "prompt  int64 [1, 16]",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "inputs", "metadata", "message"), UNSUPPORTED.values(), ids=UNSUPPORTED
)
def test_unsupported_models_are_explained(
    outputs: dict[str, Array],
    inputs: Inputs,
    metadata: dict[str, str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(fixed_onnx(outputs, inputs, metadata=metadata))

    assert main(["inspect", str(file)]) == 1
    [line] = [each for each in capsys.readouterr().out.splitlines() if "not supported" in each]
    assert message in line


def test_inspect_shows_the_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "model.onnx"
    outputs = {"output0": yolov5_rows(80)}
    file.write_bytes(fixed_onnx(outputs, metadata={"description": "x" * 99}))

    assert main(["inspect", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "  images  float32 [1, 3, 64, 64]\n" in shown
    assert "  output0  float32 [1, 252, 85]\n" in shown
    assert f"description: {'x' * 60}...\n" in shown
    assert "--labels coco80" in shown


NO_MODELS = {"not there": None, "text": b"hello", "empty": b""}


@pytest.mark.parametrize("content", NO_MODELS.values(), ids=NO_MODELS)
def test_invalid_files(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ToolError):
        read_graph(file)


def test_external_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\x6a\x10\x0a\x08location\x12\x04data")
    with pytest.raises(ToolError):
        read_graph(tmp_path / "model.onnx")


EXACT = ("yolox_nano", "squeezenet", "ssd_mobilenet_v1_quant", "mobilenet_v2_quant")


@pytest.mark.parametrize("name", EXACT)
def test_published_models_are_guessed(name: str, shared: Path) -> None:
    [file] = (SHARED / "models" / name).glob("*.onnx")
    manifest = json.loads(
        (Path(__file__).parents[2] / "manifests" / name / "manifest.json").read_text()
    )
    found = nested(guess(read_graph(file)).findings)

    assert found["task"] == manifest["task"]
    assert found["input"] == {"dtype": "float32", **manifest["input"]}
    assert found["output"]["format"] == manifest["output"]["format"]


def test_the_message_lists_every_format() -> None:
    formats = [*HEADS, "classes"]
    assert [each for each in formats if not re.search(rf"\b{each} [\[(]", FORMATS_TEXT)] == []
