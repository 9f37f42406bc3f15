"""An image file that is decoded on demand."""

from __future__ import annotations

import time

from inference.budget import RequestBudget
from inference.decoding.decode import decode_reduced
from inference.decoding.resolution import DecodedImage, Resolution
from inference.types import ImageRGB, SizeWH


class ImageSource:
    """An image file, decoded when pixels are needed and cached.

    Args:
        data: The file.
        max_pixels: Largest width times height that is decoded.
        budget: Work that the request may still cause; None for no limit.

    Attributes:
        decode_ms: Milliseconds spent on decoding so far.
    """

    def __init__(self, data: bytes, max_pixels: int, budget: RequestBudget | None = None) -> None:
        """Keep the file. Nothing is decoded yet."""
        self._data = data
        self._max_pixels = max_pixels
        self._budget = budget
        self._is_charged = False
        self._decoded: DecodedImage | None = None
        self.decode_ms = 0.0

    @classmethod
    def from_pixels(cls, image_rgb: ImageRGB) -> ImageSource:
        """Create a source of pixels that are decoded already: uint8 [height, width, 3]."""
        source = cls(b"", 0)
        source._decoded = DecodedImage.full_size(image_rgb)
        return source

    @property
    def size_wh(self) -> SizeWH | None:
        """Width and height of the upright image in pixels; None before the first decode."""
        return self._decoded.size_wh if self._decoded else None

    def take_crops(self, wanted: int) -> int:
        """Return how many of the image's vehicles may be classified: `wanted` without a budget."""
        return self._budget.take_crops(wanted) if self._budget else wanted

    def decode(self, resolution: Resolution) -> DecodedImage:
        """Return the cached pixels if they are detailed enough; otherwise decode again.

        Raises:
            PictureError: The file cannot be decoded.
        """
        decoded = self._decoded
        if decoded is None or resolution.reduction(decoded.size_wh) < decoded.reduction:
            self._decoded = decoded = None  # Free the pixels before larger ones are decoded.
            start = time.perf_counter()
            try:
                decoded = decode_reduced(
                    self._data,
                    max_pixels=self._max_pixels,
                    resolution=resolution,
                    charge=self._charge,
                )
            finally:
                self.decode_ms += (time.perf_counter() - start) * 1000
            self._decoded = decoded
        return decoded

    def _charge(self, decode_ms: float) -> None:
        """Subtract the estimate for all decodes from the budget, at the first of them."""
        if self._budget and not self._is_charged:
            self._budget.charge(decode_ms, len(self._data))
            self._is_charged = True
