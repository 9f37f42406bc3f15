"""A picture that is too large for a request, made smaller, and its boxes made larger again."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import replace

from matchvec_client.errors import PillowMissing
from matchvec_client.types import Picture, Prediction

try:
    from PIL import Image, ImageOps
except ImportError:  # An extra: `require_pillow` says how to get it.
    HAS_PILLOW = False
else:
    HAS_PILLOW = True

QUALITY = 90
SAFETY = 0.95
"""What is aimed at, as a share of the limit: the size of a JPEG can't be known beforehand."""
MAX_PIXELS = 200_000_000


class CantShrink(Exception):
    """The picture can't be read."""


def require_pillow(purpose: str) -> None:
    """Complain early where Pillow is missing.

    Raises:
        PillowMissing: It is; the message says how to install it.
    """
    if not HAS_PILLOW:
        raise PillowMissing(f"{purpose} needs Pillow: pip install 'matchvec-client[pictures]'")


def shrink(content: bytes, max_bytes: int) -> tuple[bytes, tuple[int, int]]:
    """A picture as an upright JPEG of at most so many bytes.

    Args:
        content: A picture's file.
        max_bytes: Of the JPEG.

    Returns:
        The JPEG, and width and height of the upright picture before.

    Raises:
        CantShrink: It is no picture, it is damaged, or it has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures and of bad EXIF.
            image = open_upright(content)
    except Exception as error:  # Pillow's readers raise whatever their formats lead them to.
        raise CantShrink(str(error) or type(error).__name__) from error
    upright_wh = image.size
    while True:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=QUALITY)
        size = buffer.tell()
        if size <= max_bytes:
            return buffer.getvalue(), upright_wh
        # Bytes go about with the pixels.
        share = min(0.9, math.sqrt(SAFETY * max_bytes / size))
        width, height = (max(1, int(side * share)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)


def open_upright(content: bytes) -> Image.Image:
    """A picture as RGB, turned as its EXIF orientation says, over white where it is transparent.

    Raises:
        Exception: Whatever Pillow raises on files that it can't read, or would rather not.
    """
    with Image.open(io.BytesIO(content)) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise CantShrink(f"It has more than {MAX_PIXELS // 10**6} million pixels.")
        upright = ImageOps.exif_transpose(opened)
        if not upright.has_transparency_data:
            return upright.convert("RGB")
        layer = upright.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")


def scaled(picture: Picture, upright_wh: tuple[int, int]) -> Picture:
    """A shrunk picture's answer in pixels of the picture before."""
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
