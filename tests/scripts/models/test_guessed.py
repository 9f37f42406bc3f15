"""Models of many exporters are added without flags, and find the car in the middle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.decoding.resolution import DecodedImage
from inference.detection import Detector
from scripts.models.__main__ import main
from scripts.models.folder import load_model
from tests.support.graphs import PICTURE, Array, Inputs, cells, fixed_onnx

SIDE = 64
CORNERS = (16, 16, 48, 48)
CENTRES = (32, 32, 32, 32)
SCORE = 0.9
LOGIT = 2.197
CELLS = cells(8, 16, 32)
NAMES = "{0: 'car', 1: 'person'}"
ULTRALYTICS = {"author": "Ultralytics", "task": "detect", "names": NAMES}
RTDETR = {**ULTRALYTICS, "description": "Ultralytics rtdetr-l model", "head": "RTDETRDecoder"}


def filled(rows: int, *first: float, other: tuple[float, ...] | None = None) -> Array:
    """Return float32 [1, rows, columns] with one row of values; the others are `other` or 0."""
    values = np.zeros((1, rows, len(first)), np.float32)
    if other:
        values[...] = other
    values[0, 0] = first
    return values


def ones(rows: int, *first: float, other: float = 0.0) -> Array:
    values = np.full((1, rows), other, np.float32)
    values[0, : len(first)] = first
    return values


def corner_rows(*scores: float) -> Array:
    """Return a small box around each cell as corners, and scores; the first one is the car's."""
    boxes = [
        (stride * x, stride * y, stride * (x + 1), stride * (y + 1))
        for stride in (8, 16, 32)
        for y in range(SIDE // stride)
        for x in range(SIDE // stride)
    ]
    values = np.zeros((1, CELLS, 4 + len(scores)), np.float32)
    values[0, :, :4] = boxes
    values[0, 0] = [*CORNERS, *scores]
    return values


def nanodet_rows(count: int, row: int, *bins: tuple[int, ...]) -> Array:
    """Return NanoDet's rows: two scores, and equal logits of some of 8 distances per edge."""
    values = np.zeros((1, count, 2 + 4 * 8), np.float32)
    values[0, row, 0] = SCORE
    for edge, likely in enumerate(bins):
        values[0, row, [2 + 8 * edge + each for each in likely]] = 50
    return values


SMALL = (8.0, 8.0, 12.0, 12.0)
NORMALIZED = tuple(value / SIDE for value in CORNERS)
NORMALIZED_CENTRES = tuple(value / SIDE for value in CENTRES)
YXYX = (NORMALIZED[1], NORMALIZED[0], NORMALIZED[3], NORMALIZED[2])
NHWC: Inputs = {"image": ("uint8", (1, SIDE, SIDE, 3))}

MODELS: dict[str, tuple[dict[str, Array], Inputs, dict[str, str], dict[str, Any]]] = {
    "YOLOv6": (
        {"outputs": filled(CELLS, *CENTRES, 1, SCORE, 0, other=(*SMALL, 1, 0, 0))},
        PICTURE, {}, {"output.format": "yolov5", "input.color": "RGB"},
    ),
    "YOLOX, decoded": (
        {"output": filled(CELLS, *CENTRES, 0.95, 0.95, 0, other=(*SMALL, 0.01, 0, 0))},
        PICTURE, {}, {"output.format": "yolov5", "input.color": "BGR"},
    ),
    "YOLOv5 with four strides": (
        {
            "output": filled(
                3 * cells(8, 16, 32, 64), *CENTRES, 1, SCORE, 0, other=(*SMALL, 0, 0, 0)
            )
        },
        PICTURE, {}, {"output.format": "yolov5"},
    ),
    "YOLOv5 with masks": (
        {
            "output0": filled(3 * CELLS, *CENTRES, 1, SCORE, 0, *[0.5] * 32),
            "output1": np.zeros((1, 32, 16, 16), np.float32),
        },
        PICTURE, {"names": NAMES, "stride": "32"},
        {"output.format": "yolov5", "output.ignored": 32},
    ),
    "YOLOv8, transposed": (
        {"output0": filled(CELLS, *CENTRES, SCORE, 0, other=(*SMALL, 0, 0))},
        PICTURE, {"names": NAMES}, {"output.format": "yolov8"},
    ),
    "YOLOv8 with masks": (
        {
            "output0": filled(CELLS, *CENTRES, SCORE, 0, *[-0.5] * 32).transpose(0, 2, 1),
            "output1": np.zeros((1, 32, 16, 16), np.float32),
        },
        PICTURE, {**ULTRALYTICS, "task": "segment"}, {"output.ignored": 32},
    ),
    "YOLOv8 with key points": (
        {"output0": filled(CELLS, *CENTRES, SCORE, 0, *[20.0] * 51).transpose(0, 2, 1)},
        PICTURE, {**ULTRALYTICS, "task": "pose"}, {"output.ignored": 51},
    ),
    "YOLOv8 with key points, without metadata": (
        {"output0": filled(CELLS, *CENTRES, SCORE, 0, *[20.0] * 51).transpose(0, 2, 1)},
        PICTURE, {}, {"output.ignored": 51},
    ),
    "YOLO26 with masks": (
        {
            "output0": filled(300, *CORNERS, SCORE, 0, *[-0.5] * 32),
            "output1": np.zeros((1, 32, 16, 16), np.float32),
        },
        PICTURE, {**ULTRALYTICS, "task": "segment", "end2end": "True"},
        {"output.format": "rows", "output.ignored": 32},
    ),
    "YOLO26 with key points, without metadata": (
        {"output0": filled(300, *CORNERS, SCORE, 0, *[20.0] * 51)},
        PICTURE, {}, {"output.format": "rows", "output.ignored": 51},
    ),
    "DETR before its training": (
        {
            "logits": filled(100, 6, 0.1, 3.8, other=(0.2, 0.3, 0.1)),
            "pred_boxes": filled(100, *NORMALIZED_CENTRES),
        },
        PICTURE, {}, {"output.activation": "softmax", "input.mean": [0.485, 0.456, 0.406]},
    ),
    "RT-DETR before its training": (
        {
            "logits": filled(300, LOGIT, -9, other=(-0.2, -0.3)),
            "pred_boxes": filled(300, *NORMALIZED_CENTRES),
        },
        PICTURE, {}, {"output.activation": "sigmoid"},
    ),
    "RF-DETR with an unused column": (
        {
            "dets": filled(300, *NORMALIZED_CENTRES),
            "labels": filled(300, LOGIT, -6, -6, other=(-6, -6, -6)),
        },
        PICTURE, {}, {"output.activation": "sigmoid", "output.ignored": 1},
    ),
    "RT-DETR of Ultralytics": (
        {"output0": filled(300, *NORMALIZED_CENTRES, SCORE, 0)},
        PICTURE, RTDETR, {"output.format": "rows", "input.resize": "stretch"},
    ),
    "RT-DETR of Ultralytics, older": (
        {"output0": filled(300, *NORMALIZED_CENTRES, SCORE, 0, other=(0.5, 0.5, 0.1, 0.1, 0, 0))},
        PICTURE, {**RTDETR, "names": NAMES}, {"input.resize": "stretch"},
    ),
    "RF-DETR": (
        {
            "dets": filled(300, *NORMALIZED_CENTRES),
            "labels": filled(300, LOGIT, -6, other=(-6, -6)),
        },
        PICTURE, {}, {"output.format": "detr", "output.activation": "sigmoid"},
    ),
    "Table Transformer": (
        {
            "logits": filled(125, 9, -4, 6.8, other=(-4, -4, 4)),
            "pred_boxes": filled(125, *NORMALIZED_CENTRES),
        },
        PICTURE, {}, {"output.format": "detr", "output.activation": "softmax"},
    ),
    "mmdeploy": (
        {"dets": filled(100, *CORNERS, SCORE), "labels": np.zeros((1, 100), np.int64)},
        PICTURE, {}, {"output.format": "boxes", "input.color": "BGR"},
    ),
    "EfficientNMS": (
        {
            "num_dets": np.array([[1]], np.int32), "det_boxes": filled(25, *CORNERS),
            "det_scores": ones(25, SCORE), "det_classes": np.zeros((1, 25), np.int32),
        },
        PICTURE, {}, {"output.format": "boxes", "output.normalized": False},
    ),
    "Azure Custom Vision": (
        {
            "detected_boxes": filled(10, *NORMALIZED), "detected_scores": ones(10, SCORE),
            "detected_classes": np.zeros((1, 10), np.int64),
        },
        PICTURE, {}, {"output.normalized": True, "input.color": "BGR"},
    ),
    "a fixed batch of 4": (
        {"output0": np.repeat(filled(CELLS, *CENTRES, SCORE, 0), 4, axis=0).transpose(0, 2, 1)},
        {"images": ("float32", (4, 3, SIDE, SIDE))}, {}, {"output.format": "yolov8"},
    ),
    "YOLOv9 of LibreYOLO": (
        {"output": corner_rows(SCORE, 0).transpose(0, 2, 1)},
        PICTURE,
        {"names": NAMES, "libreyolo_version": "1.6.0", "model_family": "yolo9"},
        {
            "output.format": "yolov8", "output.corners": True, "input.color": "RGB",
            "input.resize": "letterbox", "input.anchor": "top-left",
        },
    ),
    "RTMDet of LibreYOLO": (
        {"output": corner_rows(SCORE, 0)},
        PICTURE,
        {"names": NAMES, "libreyolo_version": "1.6.0", "model_family": "rtmdet"},
        {"output.corners": True, "input.color": "BGR", "input.std": [57.375, 57.12, 58.395]},
    ),
    # Half a stride to the left and to the top of a cell's centre, 1.5 to the right and down.
    "NanoDet": (
        {"output": nanodet_rows(CELLS, 64 + 5, (0, 1), (0, 1), (1, 2), (1, 2))},
        PICTURE, {}, {"output.format": "picodet", "output.centre": 0.5, "input.color": "BGR"},
    ),
    # Two strides on every side of a cell's corner.
    "NanoDet-Plus": (
        {"output": nanodet_rows(CELLS + 1, 36, (2,), (2,), (2,), (2,))},
        PICTURE, {}, {"output.format": "picodet", "output.centre": 0, "output.reg_max": 7},
    ),
    "YOLO-NAS": (
        {"pred_boxes": filled(CELLS, *CORNERS), "pred_scores": filled(CELLS, SCORE, 0)},
        PICTURE, {}, {"output.format": "scored", "input.resize": "letterbox"},
    ),
    "YOLO-NAS, batch": (
        {
            "graph2_num_predictions": np.array([[1]]), "graph2_pred_boxes": filled(20, *CORNERS),
            "graph2_pred_scores": ones(20, SCORE),
            "graph2_pred_classes": np.zeros((1, 20), np.int64),
        },
        PICTURE, {}, {"output.format": "boxes", "input.resize": "letterbox"},
    ),
    "YOLO-NAS, flat": (
        {"graph2_flat_predictions": filled(5, 0, *CORNERS, SCORE, 0)[0]},
        PICTURE, {},
        {"output.columns": ["batch", "x1", "y1", "x2", "y2", "score", "class"]},
    ),
    "UltraFace": (
        {
            "scores": filled(CELLS, 0.05, SCORE, 0.05, other=(1, 0, 0)),
            "boxes": filled(CELLS, *NORMALIZED),
        },
        PICTURE, {}, {"output.background": True, "output.normalized": True},
    ),
    "TensorFlow 2": (
        {
            "detection_boxes": filled(10, *YXYX), "detection_classes": ones(10, 1, other=1),
            "detection_scores": ones(10, SCORE), "num_detections": np.array([10], np.float32),
            "raw_detection_boxes": filled(50, *YXYX),
        },
        NHWC, {}, {"output.format": "ssd", "output.boxes": "detection_boxes"},
    ),
    "Model Maker": (
        {
            "StatefulPartitionedCall:3": filled(25, *YXYX),
            "StatefulPartitionedCall:2": ones(25),
            "StatefulPartitionedCall:1": ones(25, SCORE),
            "StatefulPartitionedCall:0": np.array([25], np.float32),
        },
        NHWC, {}, {"output.format": "ssd", "output.first_class": 0},
    ),
    "TensorFlow Models, pixels": (
        {
            "detection_boxes": filled(25, 16, 16, 48, 48), "detection_scores": ones(25, SCORE),
            "detection_classes": ones(25, 1), "num_detections": np.array([1], np.int32),
        },
        NHWC, {}, {"output.format": "ssd", "output.normalized": False},
    ),
    "TensorFlow's suppression": (
        {
            "nmsed_boxes": filled(25, *YXYX), "nmsed_scores": ones(25, SCORE),
            "nmsed_classes": ones(25), "valid_detections": np.array([1], np.int32),
        },
        NHWC, {}, {"output.format": "ssd", "output.count": "valid_detections"},
    ),
    "TensorFlow's suppression, without names": (
        {
            "Identity": filled(25, *YXYX), "Identity_1": ones(25, SCORE),
            "Identity_2": ones(25), "Identity_3": np.array([1], np.int32),
        },
        NHWC, {}, {"output.format": "ssd", "output.classes": "Identity_2"},
    ),
    "EfficientDet of automl": (
        {"detections": filled(20, 0, 16, 16, 48, 48, SCORE, 1)},
        NHWC, {}, {"output.format": "rows", "output.first_class": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("outputs", "inputs", "metadata", "fields"), MODELS.values(), ids=MODELS)
def test_a_model_is_added_without_flags(
    outputs: dict[str, Array],
    inputs: Inputs,
    metadata: dict[str, str],
    fields: dict[str, Any],
    tmp_path: Path,
) -> None:
    (tmp_path / "model.onnx").write_bytes(fixed_onnx(outputs, inputs, metadata=metadata))
    (tmp_path / "labels").write_text("car\nperson\n")
    arguments = ["add", str(tmp_path / "model.onnx"), "--name", "mine"]
    labels = ["--labels", str(tmp_path / "labels")]

    assert main([*arguments, *labels, "--models", str(tmp_path / "models")]) == 0
    values = json.loads((tmp_path / "models" / "mine" / "manifest.json").read_text())
    found = {path: values[path.split(".")[0]][path.split(".")[1]] for path in fields}
    assert found == fields

    detector = load_model(tmp_path / "models" / "mine")
    assert isinstance(detector, Detector)
    picture = DecodedImage.full_size(np.full((SIDE, SIDE, 3), 90, np.uint8))
    [car] = detector.detect(picture, 0.5)
    assert (car.box_xyxy, car.class_name) == (CORNERS, "car")
    assert car.confidence == pytest.approx(SCORE, abs=0.01)
