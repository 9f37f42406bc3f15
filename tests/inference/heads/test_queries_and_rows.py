from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.errors import ManifestError
from inference.heads import Head, read_head
from inference.json_reader import JsonReader
from inference.types import RawDetections

Arrays = dict[str, NDArray[np.float32]]


def head(**fields: Any) -> Head:
    return read_head(JsonReader("output", fields), class_count=2)


def rows(found: RawDetections) -> list[tuple[list[float], float, int]]:
    assert found.boxes_xyxy.dtype == np.float32
    assert found.class_ids.dtype == np.int64
    return [
        ([round(float(value), 3) for value in box], round(float(score), 3), int(class_id))
        for box, score, class_id in zip(
            found.boxes_xyxy, found.scores, found.class_ids, strict=True
        )
    ]


def one(*values: list[float]) -> NDArray[np.float32]:
    return np.array([values], np.float32)


YOLOV5 = one(
    [50, 40, 20, 10, 0.9, 0.2, 1.0],  # 20x10 around (50, 40), class 1.
    [51, 40, 20, 10, 0.8, 0.2, 1.0],  # Nearly the same, less sure.
    [51, 40, 20, 10, 0.8, 1.0, 0.2],  # There too, but of class 0.
    [10, 10, 4, 8, 1.0, 0.3, 0.2],  # Below the threshold.
    [10, 10, 4, 8, 0.5, 1.0, 0.0],
)


def test_yolov5() -> None:
    found = head(format="yolov5").decode({"output0": YOLOV5}, (64, 64), 0.4)

    assert rows(found) == [
        ([40, 35, 60, 45], 0.9, 1),
        ([41, 35, 61, 45], 0.8, 0),
        ([8, 6, 12, 14], 0.5, 0),
    ]


def test_yolov5_of_several_outputs() -> None:
    outputs = {"output0": YOLOV5, "raw": one([1])}
    found = head(format="yolov5", predictions="output0").decode(outputs, (64, 64), 0.85)

    assert len(rows(found)) == 1
    with pytest.raises(ValueError, match=r"outputs \['output0', 'raw'\]"):
        head(format="yolov5").decode(outputs, (64, 64), 0.85)
    with pytest.raises(KeyError, match="boxes"):
        head(format="yolov5", predictions="boxes").decode(outputs, (64, 64), 0.85)


YOLOV8 = np.array(
    [
        [
            [50, 50.5, 10, 10],
            [40, 40, 10, 10],
            [20, 20, 4, 4],
            [10, 10, 8, 8],
            [0.2, 0.1, 0.3, 0.5],
            [0.9, 0.8, 0.1, 0.1],
        ]
    ],
    np.float32,
)


def test_yolov8() -> None:
    found = head(format="yolov8").decode({"output0": YOLOV8}, (64, 64), 0.4)

    assert rows(found) == [([40, 35, 60, 45], 0.9, 1), ([8, 6, 12, 14], 0.5, 0)]


def test_yolov8_with_corners() -> None:
    found = head(format="yolov8", corners=True).decode({"output0": YOLOV8}, (64, 64), 0.85)

    assert rows(found) == [([50, 40, 20, 10], 0.9, 1)]


def test_yolov8_keeps_what_overlaps_less_than_nms_iou() -> None:
    found = head(format="yolov8", nms_iou=0.99).decode({"output0": YOLOV8}, (64, 64), 0.4)

    assert [score for _, score, _ in rows(found)] == [0.9, 0.8, 0.5]


def test_detr_by_sigmoid_counts_a_query_for_each_of_its_classes() -> None:
    outputs = {
        "logits": one([0.0, math.log(3)], [-9, -9]),  # Of 0.5 and 0.75, and of nothing.
        "pred_boxes": one([0.5, 0.5, 0.2, 0.4], [0.1, 0.1, 0.1, 0.1]),
    }
    found = head(format="detr", activation="sigmoid").decode(outputs, (100, 200), 0.4)

    assert rows(found) == [([40, 60, 60, 140], 0.5, 0), ([40, 60, 60, 140], 0.75, 1)]


def test_detr_by_softmax_has_no_object_as_its_last_class() -> None:
    outputs = {
        "logits": one([0, math.log(2), math.log(5)], [math.log(7), math.log(2), 0]),
        "pred_boxes": one([0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 1, 1]),
    }
    decode = head(format="detr", activation="softmax").decode

    # 1/8, 2/8 and 5/8; 7/10, 2/10 and 1/10: of each query its best class alone.
    assert rows(decode(outputs, (100, 200), 0.4)) == [([0, 0, 100, 200], 0.7, 0)]
    assert [(score, class_id) for _, score, class_id in rows(decode(outputs, (10, 10), 0))] == [
        (0.25, 1),
        (0.7, 0),
    ]


def test_detr_of_other_names() -> None:
    outputs = {"scores_raw": one([9, -9]), "dets": one([0.5, 0.5, 1, 1])}
    detr = head(format="detr", activation="sigmoid", logits="scores_raw", boxes="dets")

    assert rows(detr.decode(outputs, (10, 20), 0.5)) == [([0, 0, 10, 20], 1.0, 0)]


def test_detr_does_not_overflow() -> None:
    outputs = {"logits": one([-1e30, 1e30]), "pred_boxes": one([0.5, 0.5, 1, 1])}
    found = head(format="detr", activation="sigmoid").decode(outputs, (10, 20), 0.0)

    assert [(score, class_id) for _, score, class_id in rows(found)] == [(0.0, 0), (1.0, 1)]


def test_rows() -> None:
    output = one([1, 2, 3, 4, 0.9, 1], [5, 6, 7, 8, 0.3, 0], [0, 0, 0, 0, 0, 0])
    decode = head(format="rows").decode

    assert rows(decode({"output0": output}, (64, 64), 0.4)) == [([1, 2, 3, 4], 0.9, 1)]
    assert rows(decode({"output0": output[0]}, (64, 64), 0.4)) == [([1, 2, 3, 4], 0.9, 1)]
    assert rows(decode({"output0": output[0, :0]}, (64, 64), 0.4)) == []


def test_rows_in_the_order_of_paddle_and_yolov7() -> None:
    paddle = {"boxes": one([1, 0.9, 1, 2, 3, 4])[0], "count": one([1])}
    paddle_head = head(
        format="rows", predictions="boxes", columns=["class", "score", "x1", "y1", "x2", "y2"]
    )
    yolov7 = {"output": one([0, 0.1, 0.2, 0.3, 0.4, 1, 0.9])[0]}
    yolov7_head = head(
        format="rows",
        columns=["batch", "x1", "y1", "x2", "y2", "class", "score"],
        normalized=True,
    )

    assert rows(paddle_head.decode(paddle, (64, 64), 0.4)) == [([1, 2, 3, 4], 0.9, 1)]
    assert rows(yolov7_head.decode(yolov7, (10, 100), 0.4)) == [([1, 20, 3, 40], 0.9, 1)]


def test_rows_of_no_class_are_left_out() -> None:
    classes = [-1, 2, float("nan"), float("inf"), 1e30, 1]
    output = one(*[[1, 2, 3, 4, 0.9, class_id] for class_id in classes])
    found = head(format="rows").decode({"output0": output}, (64, 64), 0.4)

    assert rows(found) == [([1, 2, 3, 4], 0.9, 1)]


SIGMOID = {"format": "detr", "activation": "sigmoid"}
SOFTMAX = {"format": "detr", "activation": "softmax"}
BOXES = one([0, 0, 0, 0])
WRONG_SHAPES: dict[str, tuple[dict[str, Any], Arrays, str]] = {
    "yolov5: other classes": (
        {"format": "yolov5"}, {"o": one([0] * 85)}, r"\(1, 1, 85\)\. YOLOv5 with 2 classes",
    ),
    "yolov5: of YOLOv8": ({"format": "yolov5"}, {"o": YOLOV8}, r"\(1, 6, 4\)\. YOLOv5"),
    "yolov5: a batch": ({"format": "yolov5"}, {"o": np.zeros((2, 5, 7), np.float32)}, "YOLOv5"),
    "yolov5: a map": ({"format": "yolov5"}, {"o": np.zeros((1, 255, 8, 8), np.float32)}, "YOLOv5"),
    "yolov8: of YOLOv5": ({"format": "yolov8"}, {"o": YOLOV5}, r"\(1, 5, 7\)\. YOLOv8"),
    "yolov8: with masks": (
        {"format": "yolov8"}, {"o": np.zeros((1, 38, 84), np.float32)}, r"has \(1, 6, boxes\)",
    ),
    "detr: other classes": (
        SIGMOID, {"logits": one([0] * 80), "pred_boxes": BOXES}, r"\(1, queries, 2\)",
    ),
    "detr: sigmoid for softmax": (
        SOFTMAX, {"logits": one([0, 0]), "pred_boxes": BOXES}, r"softmax has \(1, queries, 3\)",
    ),
    "detr: other queries": (SIGMOID, {"logits": one([0, 0], [0, 0]), "pred_boxes": BOXES}, "DETR"),
    "detr: no axes": (SIGMOID, {"logits": np.zeros((), np.float32), "pred_boxes": BOXES}, "DETR"),
    "rows: other columns": ({"format": "rows"}, {"o": one([0] * 7)}, "must have the 6 columns x1"),
    "rows: a batch": ({"format": "rows"}, {"o": np.zeros((2, 9, 6), np.float32)}, "6 columns"),
    "rows: no axes": ({"format": "rows"}, {"o": np.zeros((), np.float32)}, "6 columns"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "outputs", "message"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_an_output_of_another_shape_is_refused(
    fields: dict[str, Any], outputs: Arrays, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        head(**fields).decode(outputs, (8, 8), 0.5)


WRONG_FIELDS = {
    "no activation": ({"format": "detr"}, "output.activation is missing"),
    "other activation": ({"format": "detr", "activation": "none"}, "one of sigmoid, softmax"),
    "column twice": ({"format": "rows", "columns": ["x1"] * 6}, "a list of x1, y1, x2, y2, score"),
    "column too few": ({"format": "rows", "columns": ["x1", "y1", "x2", "y2", "score"]}, "list of"),
    "strides": ({"format": "yolov5", "strides": [8]}, r"unknown fields \['strides'\]"),
    "nms_iou": ({"format": "yolov8", "nms_iou": 70}, "from 0 to 1"),
}


@pytest.mark.parametrize(("fields", "message"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_wrong_fields_are_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        head(**fields)
