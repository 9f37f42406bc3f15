"""Every detector format through the whole handler: a tiny ONNX file in, the published JSON out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.detection import load_detector
from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from service.settings import Settings
from tests.support.events import form_event, upload
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
from tests.support.handlers import make_handler
from tests.support.pictures import plain

BOX = np.array([[16, 16, 48, 48]], np.float32)


def detector_folder(
    base: Path,
    output: dict[str, Any],
    outputs: dict[str, Array],
    inputs: Inputs | None = None,
    **input_fields: Any,
) -> Path:
    """A folder `tiny` whose model always answers `outputs`."""
    folder = base / "tiny"
    folder.mkdir()
    model = fixed_onnx(outputs, inputs or PICTURE)
    (folder / "model.onnx").write_bytes(model)
    manifest = {
        "name": "tiny",
        "version": "1",
        "task": "detection",
        "sha256": hashlib.sha256(model).hexdigest(),
        "licence": "Apache-2.0",
        "input": {
            "layout": "NCHW",
            "width": 64,
            "height": 64,
            "color": "RGB",
            "resize": "letterbox",
            **input_fields,
        },
        "labels": ["car", "person"],
        "vehicles": ["car"],
        "output": output,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def finished(labels: int) -> dict[str, Array]:
    return {
        "boxes": BOX[np.newaxis],
        "scores": np.array([[0.9]], np.float32),
        "labels": np.array([[labels]]),
    }


SIZES: Inputs = {**PICTURE, "orig_target_sizes": ("int64", (1, 2))}
PADDLE: Inputs = {**PICTURE, "scale_factor": ("float32", (1, 2))}
MASKED: Inputs = {**PICTURE, "pixel_mask": ("int64", ("batch", 64, 64))}
softmax = detr_outputs()
softmax["logits"] = np.concatenate([softmax["logits"], np.full((1, 3, 1), 0, np.float32)], axis=2)

FORMATS: dict[str, tuple[dict[str, Any], dict[str, Array], Inputs, dict[str, Any]]] = {
    "yolov5": ({"format": "yolov5"}, {"output0": yolov5_rows()}, PICTURE, {}),
    "yolov5, float16": (
        {"format": "yolov5"},
        {"output0": yolov5_rows().astype(np.float16)},
        {"images": ("float16", (1, 3, 64, 64))},
        {"dtype": "float16"},
    ),
    "yolov8": ({"format": "yolov8"}, {"output0": yolov8_columns()}, PICTURE, {}),
    "DETR": ({"format": "detr", "activation": "softmax"}, softmax, PICTURE, {}),
    "DETR with a pixel mask": (
        {"format": "detr", "activation": "softmax"},
        softmax,
        MASKED,
        {"constants": {"pixel_mask": 1}},
    ),
    "RT-DETR of transformers": (
        {"format": "detr", "activation": "sigmoid"},
        detr_outputs(),
        PICTURE,
        {},
    ),
    "RT-DETR of its own repository": (
        {"format": "boxes"},
        finished(0),
        SIZES,
        {"constants": {"orig_target_sizes": [[64, 64]]}},
    ),
    "torchvision": ({"format": "boxes", "first_class": 1}, finished(1), PICTURE, {}),
    "YOLOv10": ({"format": "rows"}, {"output0": finished_rows()}, PICTURE, {}),
    "PaddleDetection": (
        {
            "format": "rows",
            "predictions": "boxes",
            "columns": ["class", "score", "x1", "y1", "x2", "y2"],
        },
        {"boxes": np.array([[0, 0.9, *BOX[0]]], np.float32), "count": np.array([1])},
        PADDLE,
        {"constants": {"scale_factor": [[1, 1]]}},
    ),
}


@pytest.mark.parametrize(
    ("output", "outputs", "inputs", "input_fields"), FORMATS.values(), ids=FORMATS
)
def test_a_format(
    output: dict[str, Any],
    outputs: dict[str, Array],
    inputs: Inputs,
    input_fields: dict[str, Any],
    tmp_path: Path,
) -> None:
    detector_folder(tmp_path, output, outputs, inputs, **input_fields)
    settings = replace(
        Settings.from_environment({}), base_model_path=tmp_path, detection_model="tiny"
    )
    event = form_event("/object_detection", upload(plain(128, 64)))
    response = make_handler(settings)(event, None)

    assert response["statusCode"] == 200
    [[car]] = json.loads(response["body"])
    # The box is the input's middle; of the letterbox's 64 rows the middle 32 are picture.
    assert (car["x1"], car["y1"], car["x2"], car["y2"]) == (32, 0, 96, 64)
    assert car["class_name"] == "car"
    assert car["confidence"] == pytest.approx(0.9, abs=0.06)


def hostile(shape: tuple[int, ...]) -> dict[str, Array]:
    return {"output0": np.zeros(shape, np.float32)}


DETR = {"format": "detr", "activation": "sigmoid"}
RAGGED = {"orig_target_sizes": [[1], [1, 2]]}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Array], Inputs, dict[str, Any], str]] = {
    "yolov5 of 80 classes": (
        {"format": "yolov5"}, hostile((1, 252, 85)), PICTURE, {}, r"\(1, 252, 85\)",
    ),
    "yolov8 as yolov5": ({"format": "yolov5"}, {"o": yolov8_columns()}, PICTURE, {}, "YOLOv5"),
    "yolov8 of a batch of 8": ({"format": "yolov8"}, hostile((8, 6, 84)), PICTURE, {}, "YOLOv8"),
    "yolov8 with masks": (
        {"format": "yolov8"},
        {**hostile((1, 38, 84)), "masks": np.zeros((1, 32, 16, 16), np.float32)},
        PICTURE, {}, r"outputs \['masks', 'output0'\]",
    ),
    "yolov8 of nothing": ({"format": "yolov8"}, hostile((1, 4, 0)), PICTURE, {}, "YOLOv8 with 2"),
    "detr without boxes": (DETR, {"logits": np.zeros((1, 3, 2), np.float32)}, PICTURE, {}, "boxes"),
    "detr with softmax": (
        {**DETR, "activation": "softmax"}, detr_outputs(), PICTURE, {}, "softmax has",
    ),
    "rows of five": ({"format": "rows"}, hostile((1, 300, 5)), PICTURE, {}, "6 columns"),
    "a scalar": ({"format": "rows"}, hostile(()), PICTURE, {}, "6 columns"),
    "an input without a value": (
        {"format": "boxes"}, finished(0), SIZES, {}, "orig_target_sizes",
    ),
    "a constant for no input": (
        {"format": "boxes"}, finished(0), PICTURE, {"constants": {"sizes": 1}},
        "no input 'sizes' for a constant",
    ),
    "a constant of another shape": (
        {"format": "boxes"}, finished(0), SIZES, {"constants": {"orig_target_sizes": [64, 64]}},
        "orig_target_sizes",
    ),
    "a ragged constant": (
        {"format": "boxes"}, finished(0), SIZES, {"constants": RAGGED},
        "rows of different lengths",
    ),
    "a constant that is text": (
        {"format": "boxes"}, finished(0), SIZES, {"constants": {"orig_target_sizes": "64"}},
        "input.constants must be an object of numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("output", "outputs", "inputs", "input_fields", "message"), REFUSED.values(), ids=REFUSED
)
def test_what_does_not_fit_is_refused_when_it_is_loaded(
    output: dict[str, Any],
    outputs: dict[str, Array],
    inputs: Inputs,
    input_fields: dict[str, Any],
    message: str,
    tmp_path: Path,
) -> None:
    folder = detector_folder(tmp_path, output, outputs, inputs, **input_fields)
    with pytest.raises(ModelUnavailable, match=message):
        load_detector(load_manifest(folder))


def test_the_tiny_models_have_the_grids_of_real_ones() -> None:
    assert cells(8, 16, 32, side=640) == 8400  # https://github.com/ultralytics/ultralytics
