"""EXIF orientation: how a file stores its image."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from cv2.typing import MatLike
from PIL import Image

from inference.types import ImageRGB, SizeWH

EXIF_ORIENTATION = 0x0112
"""Number of the tag: Exif 3.0 (CIPA DC-008), section 4.6.5."""

TO_UPRIGHT: dict[int, Callable[[ImageRGB], MatLike]] = {
    2: lambda stored: cv2.flip(stored, 1),
    3: lambda stored: cv2.flip(stored, -1),
    4: lambda stored: cv2.flip(stored, 0),
    5: lambda stored: cv2.transpose(stored),
    6: lambda stored: cv2.rotate(stored, cv2.ROTATE_90_CLOCKWISE),
    7: lambda stored: cv2.flip(cv2.transpose(stored), -1),
    8: lambda stored: cv2.rotate(stored, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""By orientation; an image of orientation 1 is stored upright."""

FIRST_SIDEWAYS = 5
"""From this orientation on, width and height are exchanged."""


def read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) if it is missing or invalid.

    Args:
        image: An opened JPEG; another format after decoding, since a PNG may end with its EXIF.
    """
    try:
        # Not `getexif`, which also reads XMP and text, and Pillow turns a TIFF upright itself.
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        orientation = exif.get(EXIF_ORIENTATION, 1)
    except Exception:  # Damaged EXIF data raises many types; the pixels may still be fine.
        return 1
    return orientation if orientation in TO_UPRIGHT else 1


def upright_size(size_wh: SizeWH, orientation: int) -> SizeWH:
    """Return the upright width and height of an image that is stored as `size_wh`."""
    width, height = size_wh
    return (height, width) if orientation >= FIRST_SIDEWAYS else (width, height)


def to_upright(stored_rgb: ImageRGB, orientation: int) -> ImageRGB:
    """Turn stored pixels upright: uint8 [height, width, 3]; a copy unless `orientation` is 1."""
    if orientation not in TO_UPRIGHT:
        return stored_rgb
    return np.asarray(TO_UPRIGHT[orientation](stored_rgb), dtype=np.uint8)
