"""EXIF orientation: how a file stores its image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from inference.types import ImageRGB, SizeWH

EXIF_ORIENTATION = 0x0112
"""Number of the tag: Exif 3.0 (CIPA DC-008), section 4.6.5."""

STORED_VIEW: dict[int, Callable[[ImageRGB], ImageRGB]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],
    8: lambda upright: np.rot90(upright, -1),
}
"""Orientation -> a function that views an upright array as the file stores it."""

FIRST_SIDEWAYS = 5
"""From this orientation on, width and height are exchanged."""


def read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) if it is missing or invalid."""
    try:
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # Damaged EXIF data raises many types; the pixels may still be fine.
        return 1
    return orientation if orientation in STORED_VIEW else 1


def upright_size(size_wh: SizeWH, orientation: int) -> SizeWH:
    """Return the upright width and height of an image that is stored as `size_wh`."""
    width, height = size_wh
    return (height, width) if orientation >= FIRST_SIDEWAYS else (width, height)
