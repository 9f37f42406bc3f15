"""A picture that is decoded only as far as the models can see.

A JPEG is decoded to a half, a quarter or an eighth in a fraction of the time: its blocks of 8x8
are transformed to 4x4, 2x2 or one pixel, which is about their average (libjpeg's scaled IDCT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from inference.types import ImageRGB, SizeWH

SHRINKS = (8, 4, 2)
"""Source pixels per decoded pixel that libjpeg has a transform for, largest first."""


@dataclass(frozen=True, slots=True)
class Need:
    """How many pixels a picture should be decoded to at least.

    Attributes:
        width: Pixels of the upright picture.
        height: The same.
        every_side: Whether both are needed; else one is enough, as for a picture that is fitted
            into a frame as a whole.
    """

    width: float
    height: float
    every_side: bool

    def shrink(self, size_wh: SizeWH) -> int:
        """How many source pixels one decoded pixel may stand for: 1, 2, 4 or 8."""
        ratios = (size_wh[0] / self.width, size_wh[1] / self.height)
        limit = min(ratios) if self.every_side else max(ratios)
        return next((shrink for shrink in SHRINKS if shrink <= limit), 1)


NOTHING = Need(width=1, height=1, every_side=True)
"""For who wants to know the size, and that the whole file can be decoded."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """Decoded pixels, and what they are pixels of.

    Attributes:
        image_rgb: uint8 [height, width, 3]: the size divided by `shrink`, rounded up.
        shrink: Source pixels per pixel: 1, 2, 4 or 8.
        size_wh: Of the upright source picture.
    """

    image_rgb: ImageRGB
    shrink: int
    size_wh: SizeWH

    @classmethod
    def whole(cls, image_rgb: ImageRGB) -> Scaled:
        """Pixels of a picture in its own size."""
        return cls(image_rgb, 1, (image_rgb.shape[1], image_rgb.shape[0]))

    def scaled(self, need: Need) -> Scaled:
        """Itself: a picture whose pixels are there already."""
        return self


class Picture(Protocol):
    """A picture that can be had in more or less detail: a file, or decoded pixels."""

    def scaled(self, need: Need) -> Scaled:
        """Its pixels, no fewer than needed.

        Raises:
            PictureError: It can't be decoded.
        """
        ...
