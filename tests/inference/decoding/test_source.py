from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inference.decoding.resolution import SMALLEST, Resolution
from inference.decoding.source import ImageSource
from inference.errors import NotAnImage
from tests.support.pictures import encode


def test_a_source_decodes_again_only_if_more_detail_is_needed() -> None:
    source = ImageSource(encode(Image.new("RGB", (800, 600)), "JPEG"), 480_000)
    decoded = [
        source.decode(Resolution(width, 1, every_side=True)) for width in (200, 100, 400, 200, 800)
    ]

    assert [each.image_rgb.shape[1] for each in decoded] == [200, 200, 400, 400, 800]
    assert decoded[0] is decoded[1]
    assert decoded[2] is decoded[3]


def test_size_and_time_are_known_after_the_first_decode() -> None:
    source = ImageSource(encode(Image.new("RGB", (8, 6)), "PNG"), 48)

    assert (source.size_wh, source.decode_ms) == (None, 0)
    source.decode(SMALLEST)
    assert source.size_wh == (8, 6)
    assert source.decode_ms > 0


def test_a_failed_decode_takes_time_and_leaves_no_size() -> None:
    source = ImageSource(b"text", 48)
    with pytest.raises(NotAnImage):
        source.decode(SMALLEST)

    assert source.size_wh is None
    assert source.decode_ms > 0


def test_decoded_pixels_are_a_source_at_full_size() -> None:
    image_rgb = np.zeros((6, 8, 3), np.uint8)

    assert ImageSource.from_pixels(image_rgb).decode(SMALLEST).image_rgb is image_rgb
