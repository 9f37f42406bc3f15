from __future__ import annotations

import numpy as np
import pytest

from inference.geometry import iou, non_maximum_suppression

OVERLAPS = {
    "the same": ((0, 0, 10, 10), 1.0),
    "half": ((0, 0, 10, 5), 0.5),
    "a third": ((5, 0, 15, 10), 1 / 3),
    "touching": ((10, 0, 20, 10), 0.0),
    "apart": ((30, 30, 40, 40), 0.0),
    "empty": ((5, 5, 5, 5), 0.0),
    "inside out": ((10, 10, 0, 0), 0.0),
}


@pytest.mark.parametrize(("other", "expected"), OVERLAPS.values(), ids=OVERLAPS)
def test_iou(other: tuple[int, ...], expected: float) -> None:
    box = np.array([0, 0, 10, 10], np.float32)

    assert iou(box, np.array(other, np.float32)) == pytest.approx(expected)


def test_iou_of_empty_boxes_is_zero() -> None:
    assert iou(np.zeros(4, np.float32), np.zeros(4, np.float32)) == 0


def test_iou_of_each_with_each() -> None:
    boxes_xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32)

    assert iou(boxes_xyxy[:, np.newaxis], boxes_xyxy).tolist() == [[1, 0.5], [0.5, 1]]


BOXES = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8], [50, 50, 60, 60]], np.float32)
SUPPRESSIONS = {
    "the best of a heap": ([0.5, 0.9, 0.6, 0.1], [0, 0, 0, 0], 0.5, [1, 3]),
    "classes apart": ([0.5, 0.9, 0.6, 0.1], [0, 1, 1, 0], 0.5, [1, 0, 3]),
    "overlap at the limit stays": ([0.9, 0.8, 0.1, 0.2], [0, 0, 0, 0], 0.9, [0, 1, 3, 2]),
    "equal scores in their order": ([0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0], 0.5, [0, 3]),
}


@pytest.mark.parametrize(
    ("scores", "class_ids", "max_iou", "kept"), SUPPRESSIONS.values(), ids=SUPPRESSIONS
)
def test_suppression(
    scores: list[float], class_ids: list[int], max_iou: float, kept: list[int]
) -> None:
    found = non_maximum_suppression(
        BOXES, np.array(scores, np.float32), np.array(class_ids, np.int64), max_iou
    )

    assert found.tolist() == kept


def test_only_the_best_thousand_are_looked_at() -> None:
    x = np.arange(1500, dtype=np.float32) * 20
    boxes_xyxy = np.stack([x, 0 * x, x + 10, 0 * x + 10], axis=1)
    scores = np.linspace(0, 1, 1500, dtype=np.float32)
    kept = non_maximum_suppression(boxes_xyxy, scores, np.zeros(1500, np.int64), 0.5)

    assert kept.tolist() == list(range(1499, 499, -1))


def test_suppression_of_nothing() -> None:
    nothing = np.zeros((0, 4), np.float32)

    assert non_maximum_suppression(nothing, nothing[:, 0], np.zeros(0, np.int64), 0.5).size == 0
