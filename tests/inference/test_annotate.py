"""Boxes and labels are where they should be, at any size, and nothing else changes."""

import subprocess
import sys

import numpy as np
import pytest

from inference.annotate import annotate, color_of
from inference.types import ImageRGB

GRAY = (90, 90, 90)
CAR, BUS = color_of("car"), color_of("bus")


def gray(width: int, height: int) -> ImageRGB:
    return np.full((height, width, 3), GRAY[0], np.uint8)


def extent_of(color: tuple[int, int, int], image_rgb: ImageRGB) -> tuple[int, int, int, int]:
    """Corners x1, y1, x2, y2 of the pixels that have exactly this color."""
    rows, columns = np.nonzero((image_rgb == color).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def ink_in(image_rgb: ImageRGB) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Mask of letters: darker than the colours of `car` and `bus` and the ground."""
    return image_rgb.max(axis=2) < 70  # type: ignore[no-any-return]  # numpy stubs


def changed(image_rgb: ImageRGB) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (image_rgb != GRAY).any(axis=2)  # type: ignore[no-any-return]  # numpy stubs


def test_without_objects_the_picture_stays() -> None:
    assert (annotate(gray(64, 48), []) == gray(64, 48)).all()


def test_the_input_is_left_as_it_is() -> None:
    image_rgb = gray(64, 48)
    image_rgb.flags.writeable = False
    result = annotate(image_rgb, [((8, 20, 40, 40), "car", "car: 0.9")])
    assert (image_rgb == GRAY).all()
    assert result.shape == (48, 64, 3)
    assert result.dtype == np.uint8
    assert (result != GRAY).any()


def test_a_box_lies_on_its_pixels() -> None:
    drawn = annotate(gray(320, 200), [((40, 60, 200, 180), "car", "")])
    assert extent_of(CAR, drawn) == (40, 60, 200, 180)
    assert not changed(drawn)[61:179, 41:199].any()  # the line is one pixel here


def test_a_line_grows_with_the_picture() -> None:
    drawn = annotate(gray(3072, 2000), [((400, 600, 2000, 1800), "car", "")])
    assert changed(drawn)[700, 390:420].tolist() == [False] * 10 + [True] * 12 + [False] * 8


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 320, 200),
        (0, 0, 1, 1),
        (319, 199, 320, 200),
        (310, 0, 320, 200),
        (0, 190, 320, 200),
        (300, 100, 320, 110),
    ],
    ids=["all of it", "first pixel", "last pixel", "right edge", "foot", "small at the right"],
)
def test_a_label_is_whole_wherever_the_box_is(box: tuple[int, int, int, int]) -> None:
    alone = annotate(gray(320, 200), [((40, 100, 200, 180), "car", "truck: 0.9512")])
    height = 100 - extent_of(CAR, alone)[1]
    plate_pixels = int(changed(alone)[:100].sum())
    drawn = annotate(gray(320, 200), [(box, "car", "truck: 0.9512")])
    x1, y1, x2, y2 = extent_of(CAR, drawn)
    assert x2 - x1 >= plate_pixels // height
    assert y2 - y1 >= height


@pytest.mark.parametrize(
    ("width", "height", "letters"),
    [(200, 150, 7), (1024, 683, 16), (4000, 3000, 61), (800, 8000, 82)],
)
def test_labels_have_the_same_size_on_any_screen(width: int, height: int, letters: int) -> None:
    box = (width // 2, height // 2, width, height)
    drawn = annotate(gray(width, height), [(box, "car", "III")])
    rows = np.flatnonzero(ink_in(drawn).any(axis=1))
    assert abs(int(rows[-1] - rows[0]) + 1 - letters) <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (3, 3), (12, 12), (40, 20)])
def test_a_tiny_picture_is_drawn_on(size: tuple[int, int]) -> None:
    width, height = size
    drawn = annotate(gray(width, height), [((0, 0, width, height), "car", "truck: 0.9512")])
    assert drawn.shape == (height, width, 3)
    assert changed(drawn).any()


def test_a_label_wider_than_the_picture_is_cut() -> None:
    label = "a very long label that no small picture can show"
    drawn = annotate(gray(100, 60), [((0, 30, 100, 60), "car", label)])
    whole = annotate(gray(100, 60), [((0, 30, 100, 60), "car", label[:4])])
    assert (drawn[:30] != whole[:30]).any()
    assert tuple(drawn[20, 99]) in (GRAY, CAR)
    assert ink_in(drawn).any()
    assert not ink_in(drawn)[:, 98:].any()


@pytest.mark.parametrize(
    "second",
    [(40, 80, 200, 180), (50, 82, 210, 170), (60, 80, 120, 120)],
    ids=["same box", "nearly the same box", "same top"],
)
def test_labels_do_not_cover_each_other(second: tuple[int, int, int, int]) -> None:
    first = (40, 80, 200, 180)
    alone = annotate(gray(320, 240), [(first, "car", "CAR: 0.9"), (second, "car", "")])
    both = annotate(gray(320, 240), [(first, "car", "CAR: 0.9"), (second, "bus", "BUS: 0.8")])
    lettered = ink_in(alone)
    assert lettered.any()
    assert (both[lettered] == alone[lettered]).all()


def test_the_colour_follows_the_class() -> None:
    classes = ["ambulance", "bus", "car", "motorcycle", "truck", "bicycle", "van"]
    assert len({color_of(name) for name in classes}) == len(classes)
    drawn = annotate(gray(320, 200), [((10, 80, 100, 180), "bus", "anything")])
    assert (drawn == BUS).all(axis=2).any()
    assert not (drawn == CAR).all(axis=2).any()


def test_a_colour_is_the_same_in_another_process() -> None:
    code = "from inference.annotate import color_of; print(color_of('car'))"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert other.strip() == str(CAR) == "(230, 159, 0)"


def test_a_label_in_any_script_is_drawn() -> None:
    drawn = annotate(gray(320, 200), [((10, 80, 100, 180), "car", "Škoda 东风 \U0001f697")])
    assert changed(drawn)[:80].any()
