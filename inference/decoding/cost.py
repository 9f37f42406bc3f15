"""An estimate of the processor time that a decode takes, from the file's header.

A picture may cost as much as its size suggests: a few bytes can stand for 50 million pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inference.decoding.cost_table import NANOSECONDS
from inference.decoding.formats import JPEG_SIGNATURE, TIFF_SIGNATURES
from inference.decoding.heif import brand_of, check_items
from inference.decoding.jpeg import JpegHeader, count_scans
from inference.decoding.tiff import decoded_pixels, read_directory
from inference.errors import ImageTooLarge

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

BASE_MS = 650.0
"""Milliseconds of one core that any picture may take."""

MS_PER_BYTE = 0.004
"""Further milliseconds per byte of a file. A photograph takes a twentieth of that."""


class Cost(NamedTuple):
    """Nanoseconds of one core.

    Attributes:
        pixel: Per pixel.
        byte: Per byte of the file.
        scan: Per pixel and scan of a JPEG.
    """

    pixel: float
    byte: float = 0.0
    scan: float = 0.0


COSTS = {row: Cost(*costs) for row, costs in NANOSECONDS.items()}
"""Row of the table -> costs of a mode."""

SLOWEST = max(COSTS.values())
"""Costs of a mode that the table lacks."""

MIN_SCAN_PIXELS = 10_000
"""Pixels that take as long as the start of a scan."""

LOSSLESS_CHUNKS = (b"VP8L", b"ALPH")
"""Chunks of a WebP whose pixels or transparency are coded without loss."""


def decode_ms(image: ImageFile | JpegHeader, data: bytes, max_pixels: int) -> float:
    """Return the estimated milliseconds of one core for all decodes of a picture.

    `/predict` decodes a JPEG twice, for the detector and for the crops; other files once.

    Args:
        image: The opened file, not decoded, or the header of a JPEG.
        data: The file.
        max_pixels: Largest width times height.

    Raises:
        PictureError: As for `check_items`.
    """
    row, pixels, scans = image.format or "", image.width * image.height, 0
    if isinstance(image, JpegHeader) or data.startswith(JPEG_SIGNATURE):
        scans = count_scans(data)
        is_cmyk = not isinstance(image, JpegHeader) and image.mode == "CMYK"
        row = "JPEG scans" if scans > 1 else "JPEG CMYK" if is_cmyk else "JPEG"
    elif data.startswith(TIFF_SIGNATURES):
        row, pixels = decoded_pixels(read_directory(data), image.size)
    elif brand := brand_of(data):
        row, pixels = brand, max(pixels, check_items(data, max_pixels))
    elif row == "PNG" and (image.has_transparency_data or _has_16_bits(image)):
        row = "PNG deep"
    elif row == "WEBP" and any(kind in data for kind in LOSSLESS_CHUNKS):
        row = "WEBP lossless"
    elif image.tile and image.tile[0].codec_name == "bmp_rle":
        row = "BMP RLE"
    cost = COSTS.get(row, SLOWEST)
    scanned = scans * max(pixels, MIN_SCAN_PIXELS)
    return (pixels * cost.pixel + scanned * cost.scan + len(data) * cost.byte) / 1e6


def _has_16_bits(image: ImageFile) -> bool:
    return bool(image.tile) and "16" in str(image.tile[0].args)


def allowed_ms(size: int) -> float:
    """Return the milliseconds of one core that the decodes of a file of so many bytes may take."""
    return BASE_MS + MS_PER_BYTE * size


def check_cost(milliseconds: float, size: int) -> None:
    """Refuse a picture whose decodes take longer than those of a file of its size may take.

    The request's budget has a maximum, too.

    Args:
        milliseconds: Estimate of `decode_ms`.
        size: Bytes of the file.

    Raises:
        ImageTooLarge: It takes longer.
    """
    if milliseconds > allowed_ms(size):
        raise ImageTooLarge(
            "The picture takes too much time to decode. Scale it down, or save it as an ordinary "
            "JPEG, and retry."
        )
