"""Processor time of decoders by mode of a file, for `inference.decoding.cost`.

Written by `python -m scripts.worst_case.measure`. Do not edit it by hand, except HEIC, for which no
encoder is installed: it was measured once, with pictures of pillow-heif.
"""

from __future__ import annotations

NANOSECONDS = {
    "HEIC": (35.0, 150.0, 0.0),
    "JPEG": (8.1, 11.3, 0.0),
    "JPEG CMYK": (8.5, 10.7, 0.0),
    "JPEG scans": (14.1, 51.6, 0.5),
    "PNG": (16.2, 5.8, 0.0),
    "PNG deep": (47.1, 0.0, 0.0),
    "WEBP": (13.8, 42.3, 0.0),
    "WEBP lossless": (83.1, 0.0, 0.0),
    "GIF": (5.5, 3.1, 0.0),
    "BMP": (5.6, 0.0, 0.0),
    "BMP RLE": (4.5, 171.9, 0.0),
    "TIFF 1": (2.6, 0.0, 0.0),
    "TIFF 4": (13.1, 0.0, 0.0),
    "TIFF 5": (10.2, 0.0, 0.0),
    "TIFF 7": (21.1, 0.0, 0.0),
    "TIFF 8": (15.0, 0.0, 0.0),
    "TIFF 32773": (3.0, 0.0, 0.0),
    "TIFF 34925": (92.2, 0.0, 0.0),
    "TIFF 50000": (7.8, 0.0, 0.0),
    "AVIF": (22.0, 73.8, 0.0),
}
"""Row -> nanoseconds of one core per pixel, per byte, and per pixel and scan.

A TIFF has one row per compression number.
"""
