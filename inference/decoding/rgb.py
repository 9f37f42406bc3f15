"""A decoded Pillow image of any mode -> upright RGB pixels in an array."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.decoding.arrow import lent_pixels
from inference.decoding.orientation import STORED_VIEW, upright_size
from inference.errors import UnsupportedFormat
from inference.types import ImageRGB

STRIP_PIXELS = 1 << 20
"""How much is converted at a time: a whole picture of 50 megapixels would take 1 GB to convert."""

TO_RGB = {"RGB": cv2.COLOR_RGBA2RGB, "L": cv2.COLOR_GRAY2RGB}
"""By mode: OpenCV's conversion of the memory that Pillow keeps such a picture in."""

INTEGER_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
"""Pillow's modes for gray samples wider than 8 bits: files of these formats use 16 of them."""


def to_upright_rgb(image: Image.Image, orientation: int) -> ImageRGB:
    """The pixels of a picture, with transparency over white and 16-bit samples cut to 8.

    Args:
        image: Decoded, of any mode but F.
        orientation: 1 to 8, EXIF's.

    Returns:
        uint8 [height, width, 3], C-contiguous.

    Raises:
        UnsupportedFormat: The samples are floating-point numbers.
    """
    width, height = image.size
    upright_width, upright_height = upright_size(image.size, orientation)
    upright = np.empty((upright_height, upright_width, 3), dtype=np.uint8)
    stored = STORED_VIEW[orientation](upright)
    rows = max(1, STRIP_PIXELS // width)
    if _is_plain(image):
        with lent_pixels(image) as pixels:
            for top in range(0, height, rows):
                _write(pixels[top : top + rows], image.mode, stored[top : top + rows])
        return upright
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        strip = _over_white(image.crop((0, top, width, bottom)))
        with lent_pixels(strip) as pixels:
            _write(pixels, strip.mode, stored[top:bottom])
    return upright


def _is_plain(image: Image.Image) -> bool:
    return image.mode in TO_RGB and not image.has_transparency_data


def _write(pixels: NDArray[np.uint8], mode: str, stored_rgb: ImageRGB) -> None:
    """Convert Pillow's memory into (a view of) the result."""
    # Where a side is one pixel, numpy calls turned arrays contiguous that OpenCV can't write to.
    if stored_rgb.strides == (stored_rgb.shape[1] * 3, 3, 1):
        cv2.cvtColor(pixels, TO_RGB[mode], dst=stored_rgb)
    else:
        stored_rgb[:] = cv2.cvtColor(pixels, TO_RGB[mode])


def _over_white(image: Image.Image) -> Image.Image:
    """A picture of any mode as one of mode L or RGB, without transparency."""
    if image.mode in INTEGER_MODES:
        gray = (np.asarray(image).clip(0, 0xFFFF) >> 8).astype(np.uint8)
        return Image.fromarray(gray)
    if image.mode == "F":
        raise UnsupportedFormat("Floating-point pictures have no known range: convert it to PNG.")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")
