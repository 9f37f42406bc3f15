from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.errors import ManifestError
from inference.heads import Head, read_head
from inference.json_reader import JsonReader
from inference.types import RawDetections


def head(**fields: Any) -> Head:
    return read_head(JsonReader("output", fields), class_count=2)


def rows(found: RawDetections) -> list[tuple[list[float], float, int]]:
    return [
        ([round(float(value), 3) for value in box], round(float(score), 3), int(class_id))
        for box, score, class_id in zip(
            found.boxes_xyxy, found.scores, found.class_ids, strict=True
        )
    ]


def yolox_output() -> NDArray[np.float32]:
    """An 8x8 input with strides 4 and 8: four cells, then one."""
    output = np.zeros((1, 5, 7), np.float32)
    output[0, 3] = [0.5, 0.5, np.log(2), 0, 0.9, 0.2, 1.0]  # Cell (1, 1): 8x4 around (6, 6).
    output[0, 4] = [0.25, 0.5, 0, 0, 0.5, 1.0, 0.9]  # The large cell: 8x8 around (2, 4).
    return output


def test_yolox() -> None:
    found = head(format="yolox", strides=[4, 8]).decode({"output": yolox_output()}, (8, 8), 0.4)

    assert rows(found) == [([2, 4, 10, 8], 0.9, 1), ([-2, 0, 6, 8], 0.5, 0)]


def test_yolox_threshold_counts_the_score_itself() -> None:
    decode = head(format="yolox", strides=[4, 8]).decode

    assert rows(decode({"output": yolox_output()}, (8, 8), 0.5))[1:] == [([-2, 0, 6, 8], 0.5, 0)]
    assert len(rows(decode({"output": yolox_output()}, (8, 8), 0.51))) == 1


def test_yolox_suppresses_within_a_class() -> None:
    output = yolox_output()
    output[0, 2] = [1.5, 0.5, np.log(2), 0, 0.8, 0.0, 1.0]  # Cell (0, 1), the same box again.
    found = head(format="yolox", strides=[4, 8]).decode({"output": output}, (8, 8), 0.4)

    assert [score for _, score, _ in rows(found)] == [0.9, 0.5]


def test_a_grid_covers_an_input_that_its_stride_does_not_divide() -> None:
    output = np.zeros((1, 6, 7), np.float32)
    output[0, 5] = [0.5, 0.5, 0, 0, 1.0, 1.0, 0.0]  # The last of 3x2 cells of an input of 9x8.
    found = head(format="yolox", strides=[4]).decode({"output": output}, (9, 8), 0.4)

    assert rows(found) == [([8, 4, 12, 8], 1.0, 0)]


def picodet_outputs() -> dict[str, NDArray[np.float32]]:
    """An 8x8 input with strides 4 and 8, reg_max 2: distances 0, 1 or 2 strides."""
    scores_4, scores_8 = np.zeros((1, 4, 2), np.float32), np.zeros((1, 1, 2), np.float32)
    edges_4, edges_8 = np.zeros((1, 4, 12), np.float32), np.zeros((1, 1, 12), np.float32)
    scores_4[0, 1] = [0.8, 0.1]
    edges_4[0, 1] = [0, 50, 0, 50, 0, 0, 0, 0, 50, 0, 50, 0]  # Left 1, top 0, right 2, bottom 1.
    scores_8[0, 0] = [0.1, 0.6]  # Even odds for 0, 1 and 2: one stride on every side.
    return {"s4": scores_4, "s8": scores_8, "d4": edges_4, "d8": edges_8}


PICODET = {
    "format": "picodet",
    "scores": ["s4", "s8"],
    "distances": ["d4", "d8"],
    "strides": [4, 8],
    "reg_max": 2,
}


def test_picodet() -> None:
    found = head(**PICODET).decode(picodet_outputs(), (8, 8), 0.4)

    assert rows(found) == [([2, 2, 14, 6], 0.8, 0), ([-4, -4, 12, 12], 0.6, 1)]


def test_nanodet_has_one_output_and_measures_from_a_corner() -> None:
    outputs = picodet_outputs()
    rows_4, rows_8 = (np.concatenate([outputs[f"s{s}"], outputs[f"d{s}"]], axis=2) for s in (4, 8))
    joined = {"output": np.concatenate([rows_4, rows_8], axis=1)}
    fields = {"format": "picodet", "predictions": "output", "strides": [4, 8], "reg_max": 2}

    found = head(**fields).decode(joined, (8, 8), 0.4)
    assert rows(found) == [([2, 2, 14, 6], 0.8, 0), ([-4, -4, 12, 12], 0.6, 1)]
    found = head(**fields, centre=0).decode(joined, (8, 8), 0.4)
    assert rows(found) == [([0, 0, 12, 4], 0.8, 0), ([-8, -8, 8, 8], 0.6, 1)]


def test_picodet_counts_a_cell_for_each_of_its_classes() -> None:
    found = head(**PICODET).decode(picodet_outputs(), (8, 8), 0.05)

    assert [(score, class_id) for _, score, class_id in rows(found)] == [
        (0.8, 0), (0.6, 1), (0.1, 1), (0.1, 0),
    ]  # fmt: skip


def ssd_outputs() -> dict[str, NDArray[np.float32]]:
    return {
        "b": np.array([[[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], [0, 0, 1, 1]]], np.float32),
        "c": np.array([[1, 2, 1]], np.float32),
        "s": np.array([[0.9, 0.5, 0.8]], np.float32),
        "n": np.array([2], np.float32),
    }


SSD = {"format": "ssd", "boxes": "b", "classes": "c", "scores": "s"}


def test_ssd() -> None:
    found = head(**SSD, count="n").decode(ssd_outputs(), (100, 200), 0.4)

    assert rows(found) == [([20, 20, 40, 60], 0.9, 1), ([0, 0, 100, 200], 0.5, 2)]


def test_ssd_without_a_count_that_counts_classes_from_one() -> None:
    found = head(**SSD, first_class=1).decode(ssd_outputs(), (100, 200), 0.6)

    assert [(score, class_id) for _, score, class_id in rows(found)] == [(0.9, 0), (0.8, 0)]


def test_ssd_in_pixels() -> None:
    outputs = {**ssd_outputs(), "b": np.array([[[10, 20, 30, 40]]], np.float32)}
    found = head(**SSD, count="n", normalized=False).decode(
        {**outputs, "c": outputs["c"][:, :1], "s": outputs["s"][:, :1]}, (100, 200), 0.4
    )

    assert rows(found) == [([20, 10, 40, 30], 0.9, 1)]


def test_boxes() -> None:
    outputs = {
        "boxes": np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32),
        "scores": np.array([0.9, 0.3], np.float32),
        "labels": np.array([1, 2]),
    }
    found = head(format="boxes", first_class=1).decode(outputs, (10, 10), 0.4)

    assert rows(found) == [([1, 2, 3, 4], 0.9, 0)]


def test_boxes_normalised_with_a_batch_axis() -> None:
    outputs = {
        "boxes": np.array([[[0.1, 0.2, 0.3, 0.4]]], np.float32),
        "scores": np.array([[0.9]], np.float32),
        "labels": np.array([[1]]),
    }
    found = head(format="boxes", normalized=True).decode(outputs, (10, 100), 0.4)

    assert rows(found) == [([1, 20, 3, 40], 0.9, 1)]


WRONG_SHAPES: dict[str, tuple[dict[str, Any], dict[str, NDArray[np.float32]], str]] = {
    "yolox: other number of classes": (
        {"format": "yolox", "strides": [4, 8]},
        {"output": np.zeros((1, 5, 85), np.float32)},
        r"shape \(1, 5, 85\)\. A YOLOX grid of 2 classes",
    ),
    "yolox: other strides": (
        {"format": "yolox", "strides": [4]},
        {"output": np.zeros((1, 5, 7), np.float32)},
        r"has \(1, 4, 7\)",
    ),
    "picodet: other number of classes": (
        PICODET,
        {**picodet_outputs(), "s4": np.zeros((1, 4, 80), np.float32)},
        r"Output s4 has shape \(1, 4, 80\)",
    ),
    "picodet: other reg_max": (
        {**PICODET, "reg_max": 7},
        picodet_outputs(),
        r"Output d4 has shape \(1, 4, 12\), expected \(1, cells, 32\)",
    ),
    "picodet: other strides": (
        {**PICODET, "strides": [8, 16]},
        picodet_outputs(),
        "5 and 5 rows",
    ),
}


@pytest.mark.parametrize(("fields", "outputs", "message"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_an_output_of_another_shape_is_refused(
    fields: dict[str, Any], outputs: dict[str, NDArray[np.float32]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        head(**fields).decode(outputs, (8, 8), 0.5)


WRONG_FIELDS = {
    "unknown format": (
        {"format": "yolo"},
        "output.format must be one of boxes, detr, picodet",
    ),
    "no strides": ({"format": "yolox"}, "output.strides is missing"),
    "strides of zero": ({"format": "yolox", "strides": [0]}, "positive whole numbers"),
    "misspelt": ({"format": "yolox", "strides": [8], "nms": 0.5}, r"unknown fields \['nms'\]"),
    "nms_iou above 1": ({"format": "yolox", "strides": [8], "nms_iou": 45}, "from 0 to 1"),
    "one name too few": ({**PICODET, "scores": ["s4"]}, "2 output names, one per stride"),
    "no names": ({"format": "ssd"}, "output.boxes is missing"),
}


@pytest.mark.parametrize(("fields", "message"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_wrong_fields_are_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        head(**fields)
