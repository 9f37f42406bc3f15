"""Processor time of decoders by mode of a file, for `inference.decoding.cost`.

Written by `python -m scripts.worst_case.measure`. Do not edit it by hand, except HEIC, for which no
encoder is installed: it was measured once, with pictures of pillow-heif.
"""

from __future__ import annotations

from typing import NamedTuple


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


COSTS = {
    "HEIC": Cost(35.0, 150.0, 0.0),
    "JPEG": Cost(8.1, 11.3, 0.0),
    "JPEG CMYK": Cost(8.5, 10.7, 0.0),
    "JPEG scans": Cost(14.1, 51.6, 0.5),
    "PNG": Cost(16.2, 5.8, 0.0),
    "PNG deep": Cost(47.1, 0.0, 0.0),
    "WEBP": Cost(13.8, 42.3, 0.0),
    "WEBP lossless": Cost(83.1, 0.0, 0.0),
    "GIF": Cost(5.5, 3.1, 0.0),
    "BMP": Cost(5.6, 0.0, 0.0),
    "BMP RLE": Cost(4.5, 171.9, 0.0),
    "TIFF 1": Cost(2.6, 0.0, 0.0),
    "TIFF 4": Cost(13.1, 0.0, 0.0),
    "TIFF 5": Cost(10.2, 0.0, 0.0),
    "TIFF 7": Cost(21.1, 0.0, 0.0),
    "TIFF 8": Cost(15.0, 0.0, 0.0),
    "TIFF 32773": Cost(3.0, 0.0, 0.0),
    "TIFF 34925": Cost(92.2, 0.0, 0.0),
    "TIFF 50000": Cost(7.8, 0.0, 0.0),
    "AVIF": Cost(22.0, 73.8, 0.0),
}
"""Row -> costs. A TIFF has one row per compression number."""
