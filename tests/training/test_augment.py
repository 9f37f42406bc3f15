"""Augmentation moves boxes with the pixels they stand on."""

from __future__ import annotations

import random

import numpy as np
import pytest

from training.augment import Sample, alone, mosaic, move
from training.completion import Target

BOX = (40.0, 20.0, 120.0, 90.0)


def sample() -> Sample:
    picture = np.zeros((160, 200, 3), np.uint8)
    picture[20:90, 40:120] = 255
    kinds = np.eye(7, dtype=np.float32)[[2]]
    ones, none = np.ones(1, np.float32), np.zeros((0, 4), np.float32)
    return Sample(picture, Target(np.array([BOX], np.float32), kinds, ones, none))


def bright_box(picture: np.ndarray) -> list[int]:
    # Padding has 114, the object 255, both times the same brightness and cut at 255.
    rows, columns = np.nonzero(picture.mean(2) > 0.75 * picture.max())
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("seed", range(8))
def test_a_box_stays_on_its_object(seed: int) -> None:
    changed = alone(sample(), 320, random.Random(seed))  # noqa: S311  nothing secret
    if len(changed.target.boxes_xyxy):
        assert np.abs(changed.target.boxes_xyxy[0] - bright_box(changed.picture_bgr)).max() < 3


@pytest.mark.parametrize("seed", range(4))
def test_a_mosaic_has_the_objects_of_its_pictures(seed: int) -> None:
    changed = mosaic([sample()] * 4, 320, random.Random(seed))  # noqa: S311  nothing secret
    assert changed.picture_bgr.shape == (320, 320, 3)
    for x1, y1, x2, y2 in changed.target.boxes_xyxy.round().astype(int):
        assert changed.picture_bgr[y1:y2, x1:x2].mean() > 120
    asked = len(changed.target.boxes_xyxy) + len(changed.target.ignored_xyxy)
    assert 1 <= asked <= 4


def test_what_is_nearly_cut_away_is_ignored() -> None:
    shift = np.array([[1, 0, -100], [0, 1, 0]], np.float32)
    target = move(sample().target, shift, np.array([0, 0, 200, 160], np.float32))
    assert len(target.boxes_xyxy) == 0
    assert target.ignored_xyxy.tolist() == [[0, 20, 20, 90]]
