"""Small pictures in every format, and what their pixels are."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from inference.types import ImageRGB


def encode(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def plain(width: int = 8, height: int = 6, color: str = "#204060") -> bytes:
    """A PNG of one colour."""
    return encode(Image.new("RGB", (width, height), color))


def corners(width: int = 40, height: int = 20) -> Image.Image:
    """Black, with the top left quarter red: shows turning and mirroring."""
    image = Image.new("RGB", (width, height))
    image.paste("#ff0000", (0, 0, width // 2, height // 2))
    return image


def blank(width: int, height: int, value: int = 0) -> ImageRGB:
    return np.full((height, width, 3), value, dtype=np.uint8)
