from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.decoding.resolution import DecodedImage
from inference.detection import load_detector, to_detections
from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from inference.types import Detection, RawDetections
from tests.support.models import fake_detector, tiny_folder
from tests.support.pictures import blank

Row = tuple[tuple[float, float, float, float], float, int]


def raw(*rows: Row) -> RawDetections:
    return RawDetections(
        np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([class_id for _, _, class_id in rows], np.int64),
    )


NAN, INFINITE = float("nan"), float("inf")
BOXES: dict[str, tuple[Row, list[tuple[int, int, int, int]]]] = {
    "whole pixels": (((1, 2, 3, 4), 0.5, 0), [(1, 2, 3, 4)]),
    "rounded": (((0.6, 1.4, 7.5, 8.4), 0.5, 0), [(1, 1, 8, 8)]),
    "halves rounded up": (((0.5, 1.5, 6.5, 7.5), 0.5, 0), [(1, 2, 7, 8)]),
    "cut at the edges": (((-5, -5, 50, 50), 0.5, 0), [(0, 0, 20, 10)]),
    "thinner than a pixel": (((5.1, 5.1, 5.2, 5.2), 0.5, 0), [(5, 5, 6, 6)]),
    "thin at the far edge": (((19.9, 9.9, 20, 10), 0.5, 0), [(19, 9, 20, 10)]),
    "outside": (((30, 30, 40, 40), 0.5, 0), []),
    "inside out": (((8, 8, 4, 4), 0.5, 0), []),
    "not a number": (((NAN, 0, 4, 4), 0.5, 0), []),
    "infinite": (((0, 0, INFINITE, 4), 0.5, 0), []),
    "score that is no number": (((0, 0, 4, 4), NAN, 0), []),
    "class without a label": (((0, 0, 4, 4), 0.5, 7), []),
    "negative class": (((0, 0, 4, 4), 0.5, -1), []),
}


@pytest.mark.parametrize(("row", "boxes"), BOXES.values(), ids=BOXES)
def test_boxes_lie_inside_the_picture(row: Row, boxes: list[tuple[int, int, int, int]]) -> None:
    found = to_detections(raw(row), ("car",), (20, 10))

    assert [detection.box_xyxy for detection in found] == boxes


def test_the_best_comes_first_and_no_score_is_above_one() -> None:
    found = to_detections(
        raw(((0, 0, 4, 4), 0.25, 0), ((0, 0, 5, 5), 1.0001, 1)), ("car", "bus"), (20, 10)
    )

    assert found == [
        Detection((0, 0, 5, 5), "bus", 1.0),
        Detection((0, 0, 4, 4), "car", 0.25),
    ]


def test_the_last_pixel_of_a_very_wide_picture() -> None:
    found = to_detections(raw(((0, 0, 1e9, 1e9), 0.5, 0)), ("car",), (49_999_999, 1))

    assert found[0].box_xyxy == (0, 0, 49_999_999, 1)


def test_only_the_hundred_best_count() -> None:
    rows: list[Row] = [((0, 0, 4, 4), score / 200, 0) for score in range(1, 151)]
    found = to_detections(raw(*rows), ("car",), (20, 10))

    assert len(found) == 100
    assert found[0].confidence == pytest.approx(150 / 200)
    assert found[-1].confidence == pytest.approx(51 / 200)


def test_boxes_are_in_pixels_of_the_picture_not_of_the_input() -> None:
    detector = fake_detector(((0, 0, 2, 4), 0.9, 0))

    assert detector.detect(DecodedImage.full_size(blank(400, 100)), 0.5)[0].box_xyxy == (
        0,
        0,
        200,
        100,
    )


def test_the_threshold_counts_the_score_itself() -> None:
    detector = fake_detector(((0, 0, 2, 4), 0.5, 0))

    assert len(detector.detect(DecodedImage.full_size(blank(4, 4)), 0.5)) == 1
    assert detector.detect(DecodedImage.full_size(blank(4, 4)), 0.51) == []


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="is not a detector: its task is classification"):
        load_detector(load_manifest(tiny_folder(tmp_path)))


def test_a_manifest_that_does_not_fit_fails_when_it_is_loaded(tmp_path: Path) -> None:
    folder = tiny_folder(
        tmp_path,
        task="detection",
        labels=["car"],
        vehicles=["car"],
        output={"format": "yolox", "strides": [8]},
    )
    with pytest.raises(ModelUnavailable, match=r"does not fit its manifest: ValueError.*YOLOX"):
        load_detector(load_manifest(folder))
