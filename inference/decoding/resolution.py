"""The resolution that a caller needs, and pixels decoded at a reduced resolution.

libjpeg decodes a JPEG to 1/2, 1/4 or 1/8 of its size in a fraction of the time: it transforms each
block of 8x8 to 4x4, 2x2 or one pixel, which is close to the block's average.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from inference.types import ImageRGB, SizeWH

REDUCTIONS = (8, 4, 2)
"""Source pixels per decoded pixel and side that libjpeg supports, largest first."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The smallest size that a decoded image may have.

    Attributes:
        width: Width of the upright image in pixels.
        height: Height of the upright image in pixels.
        every_side: True if both sides must be reached, False if one side is enough, as for an
            image that is fitted into a frame as a whole.
    """

    width: float
    height: float
    every_side: bool

    def reduction(self, size_wh: SizeWH) -> int:
        """Return the source pixels per decoded pixel and side: 1, 2, 4 or 8.

        Args:
            size_wh: Width and height of the upright source image in pixels.
        """
        ratios = (size_wh[0] / self.width, size_wh[1] / self.height)
        limit = min(ratios) if self.every_side else max(ratios)
        return next((reduction for reduction in REDUCTIONS if reduction <= limit), 1)


SMALLEST = Resolution(width=1, height=1, every_side=True)
"""The cheapest decode: it validates the whole file and yields the image's size."""


FULL = Resolution(width=inf, height=inf, every_side=True)
"""The resolution of the file."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """Decoded pixels and their relation to the source image.

    Attributes:
        image_rgb: uint8 [height, width, 3], upright: `size_wh` divided by `reduction`, rounded up.
        reduction: Source pixels per decoded pixel and side: 1, 2, 4 or 8.
        size_wh: Width and height of the upright source image in pixels.
    """

    image_rgb: ImageRGB
    reduction: int
    size_wh: SizeWH

    @classmethod
    def full_size(cls, image_rgb: ImageRGB) -> DecodedImage:
        """Wrap pixels that are not reduced: uint8 [height, width, 3]."""
        return cls(image_rgb, 1, (image_rgb.shape[1], image_rgb.shape[0]))
