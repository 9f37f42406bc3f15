"""EXIF orientation: how a file stores its image."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from inference.decoding.formats import TIFF_SIGNATURES
from inference.decoding.tiff import read_directory
from inference.opencv import MatLike, cv2
from inference.types import ImageRGB, SizeWH

EXIF_START = b"Exif\0\0"
"""First bytes in a JPEG; files of other formats may lack them."""

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


def read_orientation(exif: bytes) -> int:
    """Return the orientation of EXIF data, 1 to 8; 1 (upright) if it is missing or invalid.

    Only the first directory counts: XMP and text are no EXIF.
    """
    tiff = exif.removeprefix(EXIF_START)
    if not tiff.startswith(TIFF_SIGNATURES):
        return 1
    try:
        orientation = read_directory(tiff).values.get(EXIF_ORIENTATION, 1)
    except struct.error:  # Damaged, but the pixels may still be fine.
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
