"""Any file -> refused, or pixels within the limit; the property of target `decode`.

The fuzzer instruments Pillow's plugins, which are Python. The decoders are C and not instrumented:
a fault in one shows as a crash, a hang or an answer that changes.
"""

from __future__ import annotations

from importlib import import_module
from unittest import mock

import numpy as np
from PIL import ImageFile

from inference.decoding.decode import decode, decode_reduced
from inference.decoding.formats import FORMATS
from inference.decoding.resolution import SMALLEST
from inference.errors import ImageTooLarge, PictureError
from inference.types import ImageRGB

MAX_PIXELS = 40_000

for (
    _name,
    _signatures,
    module,
    _reader,
) in FORMATS:  # The fuzzer instruments what is imported before it starts.
    import_module(module)


def check(data: bytes) -> None:
    """Decode one file, and fail unless it is refused by our errors or decoded as documented."""
    try:
        image_rgb = decode_within(data, MAX_PIXELS)
    except PictureError:
        return
    assert image_rgb.dtype == np.uint8
    assert image_rgb.flags.c_contiguous
    height, width, channels = image_rgb.shape
    assert channels == 3
    assert 0 < height * width <= MAX_PIXELS
    # Pixels that differ would be memory that nobody wrote: of another client's picture, perhaps.
    assert np.array_equal(image_rgb, decode_within(data, MAX_PIXELS))
    check_reduced(data, (width, height))
    try:
        decode_within(data, height * width - 1)
    except ImageTooLarge:
        return
    raise AssertionError("the limit did not hold")


def check_reduced(data: bytes, size_wh: tuple[int, int]) -> None:
    """Check that a file decodes at its lowest resolution too, with the same size."""
    try:
        decoded = decode_reduced(data, max_pixels=MAX_PIXELS, resolution=SMALLEST)
    except PictureError:
        return  # libjpeg tolerates less damage when it reduces.
    assert decoded.size_wh == size_wh
    assert decoded.reduction in (1, 2, 4, 8)
    sides = [-(-side // decoded.reduction) for side in size_wh]
    assert decoded.image_rgb.shape == (sides[1], sides[0], 3)


def decode_within(data: bytes, max_pixels: int) -> ImageRGB:
    """`decode`, which fails here if a decoder is started for a picture over the limit."""
    load = ImageFile.ImageFile.load
    loaded: list[int] = []  # Told afterwards: `decode` takes what is raised for a damaged file.

    def load_and_tell(image: ImageFile.ImageFile) -> object:
        loaded.append(image.width * image.height)
        return load(image)

    try:
        with mock.patch.object(ImageFile.ImageFile, "load", load_and_tell):
            return decode(data, max_pixels=max_pixels)
    finally:
        assert max(loaded, default=0) <= max_pixels
