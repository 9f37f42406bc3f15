"""Bounds on the time and memory of a decode, checked on the header before any pixel is decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from inference.decoding.cost import check_cost, decode_ms
from inference.decoding.formats import GIF_SIGNATURES, JPEG_SIGNATURE, PNG_SIGNATURE
from inference.decoding.gif import check_blocks
from inference.decoding.heif import brand_of, check_items
from inference.decoding.jpeg import JpegHeader, check_segments
from inference.decoding.png import check_chunks
from inference.errors import ImageTooLarge, NotAnImage

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MAX_SIDE = 1_000_000
"""Pixels. Pillow keeps 8 bytes per row: a column of 50 million pixels took 800 MB and 4 s."""


Charge = Callable[[float], None]
"""Subtracts the estimate of `inference.decoding.cost.decode_ms` from the budget of a request."""


def no_charge(_milliseconds: float) -> None:
    """Accept any estimate."""


def check_file(data: bytes, max_pixels: int) -> None:
    """Refuse a file that takes too long to open, or whose parts are too large.

    Args:
        data: The file.
        max_pixels: Largest width times height of the image.

    Raises:
        NotAnImage: The file has too many segments, chunks, blocks or items.
        ImageTooLarge: The frame of a GIF, or the items of a HEIC or AVIF, have too many pixels.
        UnsupportedFormat: The coding mode of a JPEG or an item of a HEIC is not supported.
        IndexError: A GIF ends before its first frame.
    """
    if data.startswith(JPEG_SIGNATURE):
        check_segments(data)
    elif data.startswith(PNG_SIGNATURE):
        check_chunks(data)
    elif data.startswith(GIF_SIGNATURES):
        check_blocks(data, max_pixels)
    elif brand_of(data):
        check_items(data, max_pixels)


def check_header(image: ImageFile | JpegHeader, data: bytes, max_pixels: int) -> float:
    """Refuse an image that takes too much time or memory to decode.

    Args:
        image: The opened file, not decoded, or the header of a JPEG.
        data: The file.
        max_pixels: Largest width times height.

    Returns:
        The estimated milliseconds of one core for all decodes of the picture.

    Raises:
        ImageTooLarge: The image has too many pixels, or takes too much time, by its header.
        NotAnImage: The image has no pixels.
    """
    _check_size(image, max_pixels)
    milliseconds = decode_ms(image, data, max_pixels)
    check_cost(milliseconds, len(data))
    return milliseconds


def _check_size(image: ImageFile | JpegHeader, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The picture has {width}x{height} pixels, the limit is {max_pixels}. Scale it down."
        )
    if max(width, height) > MAX_SIDE:
        raise ImageTooLarge(
            f"The picture has {width}x{height} pixels, the limit of a side is {MAX_SIDE}. "
            "Cut it into parts."
        )
    if width * height == 0:
        raise NotAnImage("The picture has no pixels.")
