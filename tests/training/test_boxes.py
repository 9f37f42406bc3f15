"""Box arithmetic and average precision against answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from training.average_precision import Found, Truth, average_precision, rates
from training.boxes import iou, nms_by_class


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param((0, 0, 10, 10), 1.0, id="same"),
        pytest.param((5, 0, 15, 10), 1 / 3, id="half shifted"),
        pytest.param((10, 0, 20, 10), 0.0, id="touching"),
        pytest.param((2, 2, 4, 4), 0.04, id="inside"),
        pytest.param((3, 3, 3, 9), 0.0, id="without width"),
    ],
)
def test_iou(other: tuple[float, float, float, float], expected: float) -> None:
    assert iou(boxes((0, 0, 10, 10)), boxes(other))[0, 0] == pytest.approx(expected, abs=1e-6)


def test_nms_keeps_the_best_of_a_class_and_other_classes() -> None:
    same = boxes((0, 0, 10, 10), (1, 0, 11, 10), (0, 0, 10, 10), (50, 50, 60, 60))
    scores = np.array([0.6, 0.9, 0.5, 0.7], np.float32)
    kept = nms_by_class(same, scores, np.array([2, 2, 5, 2]), 0.5)
    assert kept.tolist() == [1, 3, 2]


def found(*rows: tuple[float, tuple[float, float, float, float]]) -> Found:
    return Found(
        boxes(*(box for _, box in rows)),
        np.array([score for score, _ in rows], np.float32),
        np.zeros(len(rows), np.int64),
    )


CAR, FAR = (0.0, 0.0, 10.0, 10.0), (100.0, 0.0, 110.0, 10.0)


@pytest.mark.parametrize(
    ("detections", "expected"),
    [
        pytest.param([(0.9, CAR), (0.8, FAR)], 1.0, id="both found"),
        pytest.param([(0.9, CAR)], 51 / 101, id="half of them found"),
        pytest.param([(0.9, CAR), (0.8, CAR), (0.7, FAR)], (51 + 50 * 2 / 3) / 101, id="doubled"),
        pytest.param([], 0.0, id="nothing found"),
    ],
)
def test_average_precision(
    detections: list[tuple[float, tuple[float, float, float, float]]], expected: float
) -> None:
    truth = [Truth(boxes(CAR, FAR), np.zeros(2, np.int64))]
    assert average_precision([found(*detections)], truth, 0) == pytest.approx(expected, abs=1e-6)


def test_average_precision_of_an_absent_class_is_not_a_number() -> None:
    assert np.isnan(average_precision([found()], [Truth(boxes(CAR), np.zeros(1, np.int64))], 3))


def test_rates_count_only_what_reaches_the_score() -> None:
    truth = [Truth(boxes(CAR, FAR), np.zeros(2, np.int64))]
    answers = [found((0.9, CAR), (0.5, (40.0, 40.0, 50.0, 50.0)), (0.3, FAR))]
    assert rates(answers, truth, 0, 0.4) == (0.5, 0.5)
