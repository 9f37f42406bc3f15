"""Reduction of pictures that are too large, and scaling of their boxes back to full size."""

from __future__ import annotations

import io
import math
from dataclasses import replace

from matchvec_client.images import open_upright
from matchvec_client.types import Picture, Prediction

QUALITY = 90
LANCZOS = 1
"""`PIL.Image.Resampling.LANCZOS`, without importing Pillow, which is optional."""
SAFETY = 0.95
"""Target size as a share of the limit, because the size of a JPEG is not known in advance."""


def shrink(content: bytes, max_bytes: int) -> tuple[bytes, tuple[int, int]]:
    """Encode a picture as an upright JPEG of at most `max_bytes` bytes.

    Args:
        content: The picture's file.
        max_bytes: Maximum size of the JPEG in bytes.

    Returns:
        The JPEG, and the (width, height) of the upright original.

    Raises:
        CannotDecode: The file is not a picture, is damaged, or has too many pixels.
    """
    image = open_upright(content)
    upright_wh = image.size
    while True:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=QUALITY)
        size = buffer.tell()
        if size <= max_bytes:
            return buffer.getvalue(), upright_wh
        # The size grows about linearly with the number of pixels.
        share = min(0.9, math.sqrt(SAFETY * max_bytes / size))
        width, height = (max(1, int(side * share)) for side in image.size)
        image = image.resize((width, height), LANCZOS)


def scaled(picture: Picture, upright_wh: tuple[int, int]) -> Picture:
    """Scale the boxes of a reduced picture to the original's (width, height)."""
    if not picture.width or not picture.height:
        return picture
    scale_x, scale_y = upright_wh[0] / picture.width, upright_wh[1] / picture.height

    def enlarged(found: Prediction) -> Prediction:
        return replace(
            found,
            x1=round(found.x1 * scale_x),
            y1=round(found.y1 * scale_y),
            x2=round(found.x2 * scale_x),
            y2=round(found.y2 * scale_y),
        )

    return replace(
        picture,
        width=upright_wh[0],
        height=upright_wh[1],
        predictions=tuple(enlarged(each) for each in picture.predictions),
    )
