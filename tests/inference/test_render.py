"""A picture's file becomes another one, drawn on, upright, and never larger than allowed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from inference.annotate import color_of
from inference.decoding.decode import decode
from inference.render import render
from inference.types import BoxXYXY
from tests.support.pictures import STORED, encode, plain

BOX: BoxXYXY = (40, 60, 200, 180)


def drawn(
    data: bytes, box: BoxXYXY, media_type: str = "image/png", limit: int = 10**6
) -> Image.Image:
    image_rgb = decode(data, max_pixels=10**8)
    content = render(image_rgb, [(box, "car", "car: 0.9")], media_type, max_bytes=limit)
    assert len(content) <= limit
    image = Image.open(io.BytesIO(content))
    assert image.get_format_mimetype() == media_type
    return image


def extent_of_the_box(image: Image.Image) -> tuple[int, int, int, int]:
    """Corners x1, y1, x2, y2 of what has the class's color."""
    rows, columns = np.nonzero((np.asarray(image.convert("RGB")) == color_of("car")).all(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png"])
def test_the_answer_is_of_the_wanted_type_and_size(media_type: str) -> None:
    assert drawn(plain(320, 240), BOX, media_type).size == (320, 240)


def test_the_box_is_where_it_was_found() -> None:
    x1, _, x2, y2 = extent_of_the_box(drawn(plain(320, 240), BOX))
    assert (x1, x2, y2) == (40, 200, 180)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_upright(orientation: int) -> None:
    upright = Image.new("RGB", (320, 240), "#204060")
    upright.paste("#ffffff", (0, 0, 40, 20))
    transpose = STORED[orientation]
    stored = upright if transpose is None else upright.transpose(transpose)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = drawn(encode(stored, "PNG", exif=exif), BOX).convert("RGB")
    assert image.size == (320, 240)
    assert image.getpixel((5, 5)) == (255, 255, 255)
    assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png"])
def test_a_large_picture_is_shrunk_and_the_box_with_it(media_type: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 900, 3), dtype=np.uint8)
    box = (90, 150, 450, 540)
    image = drawn(encode(Image.fromarray(noise)), box, media_type, limit=150_000)
    width, height = image.size
    assert abs(width / height - 1.5) < 0.02
    assert 100 < width < 900
    if media_type == "image/png":
        x1, _, x2, y2 = extent_of_the_box(image)
        assert (x1 / width, x2 / width) == pytest.approx((0.1, 0.5), abs=0.01)
        assert y2 / height == pytest.approx(0.9, abs=0.02)


def test_a_picture_of_many_pixels_is_not_encoded_whole() -> None:
    assert drawn(plain(4000, 2000), (0, 0, 4000, 2000)).size == (2449, 1225)


def test_a_row_that_is_too_long_for_a_jpeg_is_shrunk() -> None:
    row = encode(Image.new("RGB", (70_000, 1)), "PNG")
    image = drawn(row, (0, 0, 70_000, 1), "image/jpeg")

    assert image.size == (65_500, 1)


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (3999, 1999, 4000, 2000)])
def test_a_box_of_one_pixel_survives(box: BoxXYXY) -> None:
    image = drawn(plain(4000, 2000), box)
    x1, y1, x2, y2 = extent_of_the_box(image)
    assert 0 <= x1 < x2 <= image.width
    assert 0 <= y1 < y2 <= image.height
