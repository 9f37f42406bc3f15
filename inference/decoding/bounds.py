"""Bounds on the time and memory of a decode, checked on the header before any pixel is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.decoding.formats import GIF_SIGNATURES, JPEG_SIGNATURE, PNG_SIGNATURE
from inference.decoding.gif import check_blocks
from inference.decoding.heif import brand_of, check_items
from inference.decoding.jpeg import JpegHeader, check_segments, count_scans
from inference.decoding.png import check_chunks
from inference.errors import ImageTooLarge, NotAnImage

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MAX_SIDE = 1_000_000
"""Pixels. Pillow keeps 8 bytes per row: a column of 50 million pixels took 800 MB and 4 s."""

MAX_JPEG_SCANS = 100
"""A progressive JPEG has about 10; each scan takes as long as the whole image.
libjpeg-turbo's guide suggests such a limit: https://libjpeg-turbo.org/pmwiki/uploads/About/TwoIssueswiththeJPEGStandard.pdf"""

MAX_SCANNED_PIXELS = 1_000_000_000
"""Scans times pixels: 50 megapixels in 20 scans take 3 s if a flaw makes both decoders run."""

MAX_RLE_PIXELS = 4_000_000
"""Pixels of a run-length encoded BMP. Pillow decodes it in Python: few bytes can take seconds."""

MAX_RLE_BYTES_PER_PIXEL = 3
"""A code of 2 bytes encodes at least one pixel; further codes only take time."""

MAX_RLE_HEADER_BYTES = 1 << 16


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


def check_header(image: ImageFile | JpegHeader, data: bytes, max_pixels: int) -> None:
    """Refuse an image that takes too much time or memory to decode.

    Args:
        image: The opened file, not decoded, or the header of a JPEG.
        data: The file.
        max_pixels: Largest width times height.

    Raises:
        ImageTooLarge: The image has too many pixels, by its header.
        NotAnImage: The image has no pixels, or more work per pixel than a normal one.
    """
    is_rle = bool(image.tile) and image.tile[0].codec_name == "bmp_rle"
    _check_size(image, min(max_pixels, MAX_RLE_PIXELS) if is_rle else max_pixels)
    pixels = image.width * image.height
    if is_rle and len(data) > MAX_RLE_BYTES_PER_PIXEL * pixels + MAX_RLE_HEADER_BYTES:
        raise NotAnImage("The BMP has more codes than pixels. Save it again and retry.")
    if data.startswith(JPEG_SIGNATURE):
        scans = count_scans(data)
        if scans > MAX_JPEG_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
            limit = min(MAX_JPEG_SCANS, MAX_SCANNED_PIXELS // pixels)
            raise NotAnImage(f"The JPEG has more than {limit} scans. Save it again and retry.")


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
