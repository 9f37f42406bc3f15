"""A first frame that does not fill the canvas."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from inference.decoding.decode import decode
from inference.types import ImageRGB
from tests.support.pictures import encode

RED = (255, 0, 0)
CANVAS_WH, FRAME_WH = (16, 12), (6, 4)


def gif() -> bytes:
    """A red frame at 8, 4 on a canvas whose background color is red, too."""
    frame = Image.new("P", FRAME_WH, 0)
    frame.putpalette([*RED, *bytes(765)])
    data = bytearray(encode(frame, "GIF"))
    data[6:10] = struct.pack("<HH", *CANVAS_WH)
    descriptor = data.index(b"\x2c", 13 + (6 << (data[10] & 7)))
    data[descriptor + 1 : descriptor + 5] = struct.pack("<HH", 8, 4)
    return bytes(data)


def webp(color: tuple[int, ...]) -> bytes:
    """A frame at 8, 4 without transparency on a canvas with a black background."""
    frame = encode(Image.new("RGB", FRAME_WH, color), "WEBP", lossless=True)[12:]
    place = b"".join(value.to_bytes(3, "little") for value in (4, 2, 5, 3, 100)) + b"\0"
    header = b"\x02\0\0\0" + b"".join((side - 1).to_bytes(3, "little") for side in CANVAS_WH)
    chunks = [(b"VP8X", header), (b"ANIM", bytes(6)), (b"ANMF", place + frame)]
    body = b"".join(kind + struct.pack("<L", len(each)) + each for kind, each in chunks)
    return b"RIFF" + struct.pack("<L", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize("data", [gif(), webp(RED)], ids=["GIF", "WebP"])
def test_the_rest_of_the_canvas_is_white(data: bytes) -> None:
    expected: ImageRGB = np.full((12, 16, 3), 255, np.uint8)
    expected[4:8, 8:14] = RED

    assert np.array_equal(decode(data, max_pixels=200), expected)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP"])
def test_a_frame_that_fills_the_canvas_has_no_white(file_format: str) -> None:
    frames = [Image.new("RGB", CANVAS_WH, color) for color in (RED, (0, 0, 255))]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encode(frames[0], file_format, save_all=True, append_images=frames[1:], **options)

    assert (decode(data, max_pixels=200) == RED).all()
