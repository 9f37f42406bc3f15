"""Classifiers are checked with the labelled vehicles, or with those that the detector finds."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.models.labelled import NamedBox
from scripts.models.pictures import Picture, evenly, mixed, read_crops
from tests.support.models import fake_detector

FINDER = fake_detector(((0, 0, 2, 4), 0.9, 0))
"""Finds a car in the left half of every picture."""
CAR: NamedBox = ("Car", (10.2, -3, 60, 40))
DOG: NamedBox = ("dog", (0, 0, 50, 50))


@pytest.mark.parametrize(
    ("boxes", "crops"),
    {
        "no labels": (None, [("car", (64, 50, 3))]),
        "a vehicle": ([CAR, DOG], [("car", (40, 50, 3))]),
        "a general name": ([("Vehicle", (0, 0, 30, 30))], [("vehicle", (30, 30, 3))]),
        "a small vehicle, and a large one": ([("bus", (0, 0, 30, 9)), CAR], [("car", (40, 50, 3))]),
        "other classes": ([DOG], [("car", (64, 50, 3))]),
    }.values(),
)
def test_crops(boxes: list[NamedBox] | None, crops: list[tuple[str, tuple[int, ...]]]) -> None:
    image_rgb = np.zeros((64, 100, 3), np.uint8)
    picture = Picture("a.jpg", "a", image_rgb, None if boxes is None else tuple(boxes))
    found = read_crops(FINDER, [picture])
    assert [(each.class_name, each.image_rgb.shape) for each in found] == crops


def test_samples_are_from_all_over_a_list() -> None:
    assert list(evenly(range(10), 4)) == [0, 3, 6, 9]
    assert sorted(mixed(range(10))) == list(range(10))
    assert mixed(range(10)) == mixed(range(10)) != list(range(10))
