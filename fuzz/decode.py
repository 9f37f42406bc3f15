"""Any file -> refused, or pixels within the limit; the property of target `decode`.

The fuzzer instruments Pillow's plugins, which are Python. The decoders are C and not instrumented:
a fault in one shows as a crash, a hang or an answer that changes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any
from unittest import mock

import cv2
import numpy as np
import simplejpeg
from PIL import ImageFile

from inference.decoding.decode import decode, decode_reduced
from inference.decoding.formats import FORMATS
from inference.decoding.resolution import SMALLEST
from inference.errors import ImageTooLarge, PictureError
from inference.types import ImageRGB

MAX_PIXELS = 40_000

# The fuzzer instruments what is imported before it starts.
for _name, _signatures, plugin, _reader in FORMATS:
    import_module(plugin)


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
    # Pixels that differ are uninitialised memory, perhaps of another client's picture.
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
    """Run `decode`, and fail if a decoder starts for an image over the limit."""
    decoded: list[int] = []  # Checked afterwards: `decode` catches all exceptions of decoders.
    load, decode_jpeg, imdecode = ImageFile.ImageFile.load, simplejpeg.decode_jpeg, cv2.imdecode

    def recording_load(image: ImageFile.ImageFile) -> object:
        decoded.append(image.width * image.height)
        return load(image)

    def recording_decode_jpeg(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        image_rgb = decode_jpeg(*arguments, **options)
        decoded.append(image_rgb.shape[0] * image_rgb.shape[1])
        return image_rgb

    def recording_imdecode(*arguments: Any) -> Any:  # noqa: ANN401
        image_rgb = imdecode(*arguments)
        decoded.append(0 if image_rgb is None else image_rgb.shape[0] * image_rgb.shape[1])
        return image_rgb

    try:
        with (
            mock.patch.object(ImageFile.ImageFile, "load", recording_load),
            mock.patch.object(simplejpeg, "decode_jpeg", recording_decode_jpeg),
            mock.patch.object(cv2, "imdecode", recording_imdecode),
        ):
            return decode(data, max_pixels=max_pixels)
    finally:
        assert max(decoded, default=0) <= max_pixels
