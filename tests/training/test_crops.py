"""Crops: what belongs together, what is held out, and where a box is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.crops import near_duplicates, normalised, one_type, surrounding
from training.datasets import Example, is_held_out


def pattern(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (10, 10, 3), dtype=np.uint8)
    return coarse.repeat(10, 0).repeat(10, 1)


def test_near_duplicates_share_a_cluster() -> None:
    first, second = pattern(1), pattern(2)
    brighter = np.clip(first.astype(int) + 6, 0, 255).astype(np.uint8)
    assert near_duplicates([first, second, brighter]) == [0, 1, 0]


@pytest.mark.parametrize(
    ("source", "least", "most"),
    [
        pytest.param("vehicles_openimages", 0.13, 0.17, id="photos"),
        pytest.param("coco128", 0.28, 0.32, id="coco128"),
        pytest.param("license_plates", 0.0, 0.0, id="untyped photos are never a test"),
    ],
)
def test_the_share_that_is_held_out(source: str, least: float, most: float) -> None:
    held = sum(is_held_out(f"{source}/{number}.jpg") for number in range(4000)) / 4000
    assert least <= held <= most


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((20.0, 10.0, 60.0, 40.0), id="in the middle"),
        pytest.param((0.0, 0.0, 40.0, 30.0), id="in the corner"),
        pytest.param((70.0, 50.0, 100.0, 80.0), id="at the end"),
    ],
)
def test_a_crop_is_cut_at_its_box(box: tuple[float, float, float, float]) -> None:
    picture = np.zeros((80, 100, 3), np.uint8)
    x1, y1, x2, y2 = (int(value) for value in box)
    picture[y1:y2, x1:x2] = 200
    boxes = np.array([box], np.float32)
    example = Example("photos", Path("a.jpg"), boxes, np.array([2]), False)
    cut = surrounding(example, picture, boxes[0], one_type("car")).cut()
    assert cut.shape == (y2 - y1, x2 - x1, 3)
    assert (cut == 200).all()


def test_the_network_sees_rgb_between_minus_one_and_one() -> None:
    blue = np.zeros((1, 4, 4, 3), np.uint8)
    blue[..., 0] = 255
    assert normalised(blue)[0, :, 0, 0].tolist() == [-1, -1, 1]
