"""A decoded Pillow image of any mode -> RGB pixels in an array."""

from __future__ import annotations

import numpy as np
from PIL import Image

from inference.types import ImageRGB

STRIP_PIXELS = 1 << 20
"""Pixels converted at a time: a whole image of 50 megapixels would take 1 GB to convert."""

INTEGER_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
"""Pillow's modes for gray samples wider than 8 bits; files of these formats use 16 bits."""


def to_rgb(image: Image.Image) -> ImageRGB:
    """Return the pixels of an image: transparency over white, 16-bit samples reduced to 8.

    Args:
        image: A decoded image of any mode.

    Returns:
        uint8 [height, width, 3], C-contiguous.
    """
    width, height = image.size
    image_rgb = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        strip = np.asarray(_over_white(image.crop((0, top, width, bottom))))
        image_rgb[top:bottom] = strip if strip.ndim == 3 else strip[:, :, np.newaxis]
    return image_rgb


def _over_white(image: Image.Image) -> Image.Image:
    """Return an image of mode L or RGB, without transparency."""
    if image.mode in INTEGER_MODES:
        gray = (np.asarray(image).clip(0, 0xFFFF) >> 8).astype(np.uint8)
        return Image.fromarray(gray)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")
