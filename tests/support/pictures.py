"""Small pictures with known pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from inference.types import ImageRGB

STORED: dict[int, Image.Transpose | None] = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""Transformation of an upright picture per EXIF orientation, which a viewer reverses: the inverse
of the table in Exif 3.0, section 4.6.5."""


def encode(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def plain(width: int = 8, height: int = 6, color: str = "#204060") -> bytes:
    """Return a PNG of one colour."""
    return encode(Image.new("RGB", (width, height), color))


def corners(width: int = 40, height: int = 20) -> Image.Image:
    """Return a black picture whose top left quarter is red, so that any rotation is visible."""
    image = Image.new("RGB", (width, height))
    image.paste("#ff0000", (0, 0, width // 2, height // 2))
    return image


def blank(width: int, height: int, value: int = 0) -> ImageRGB:
    return np.full((height, width, 3), value, dtype=np.uint8)
