"""The formats that are decoded, by signature, and the names of those that are not."""

from __future__ import annotations

import io
from importlib import import_module

from PIL.ImageFile import ImageFile

from inference.decoding.unreadable import recognize_binary, recognize_text
from inference.errors import NotAnImage, PictureError, UnsupportedFormat

JPEG_SIGNATURE = b"\xff\xd8\xff"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GIF_SIGNATURES = (b"GIF87a", b"GIF89a")
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")
"""TIFF, TIFF with a swapped version number, which some programs write, and BigTIFF."""


FORMATS = (
    ("JPEG", (JPEG_SIGNATURE,), "PIL.JpegImagePlugin", "jpeg_factory"),
    ("PNG", (PNG_SIGNATURE,), "PIL.PngImagePlugin", "PngImageFile"),
    ("WEBP", (b"RIFF",), "PIL.WebPImagePlugin", "WebPImageFile"),
    ("GIF", GIF_SIGNATURES, "PIL.GifImagePlugin", "GifImageFile"),
    ("BMP", (b"BM",), "PIL.BmpImagePlugin", "BmpImageFile"),
    ("TIFF", TIFF_SIGNATURES, "PIL.TiffImagePlugin", "TiffImageFile"),
)
"""Name, possible signatures, module of the Pillow plugin, and what in it reads a header."""

UNSUPPORTED = (
    ("HEIC or AVIF", 4, b"ftyp"),
    ("JPEG 2000", 0, b"\x00\x00\x00\x0cjP"),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\x00\x00\x00\x0cJXL"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("ICO", 0, b"\x00\x00\x01\x00"),
    ("Photoshop", 0, b"8BPS"),
    ("PDF", 0, b"%PDF"),
    ("OpenEXR", 0, b"\x76\x2f\x31\x01"),
    ("DDS", 0, b"DDS "),
    ("QOI", 0, b"qoif"),
    ("Raw", 0, b"IIRO"),
    ("Raw", 0, b"IIRS"),
    ("Raw", 0, b"IIU\x00"),
    ("Raw", 0, b"FUJIFILMCCD-RAW"),
    *(("PPM", 0, b"P%d%c" % (kind, space)) for kind in range(1, 8) for space in b" \t\r\n"),
)
"""Name, offset and signature of other formats, so that the error can name them."""


def open_image(data: bytes) -> ImageFile:
    """Read the header of an image file with its format's plugin; no pixels are decoded.

    A plugin is imported with the first file of its format, because startup would pay for it.

    Raises:
        PictureError: The bytes are in none of the supported formats.
        Exception: Pillow raises many types for a damaged header.
    """
    for name, signatures, module, reader in FORMATS:
        if data.startswith(signatures):
            plugin = import_module(module)
            if name == "TIFF":
                # Pillow's own reader takes minutes for an uncompressed file of many tiny strips.
                vars(plugin)["READ_LIBTIFF"] = True
            image: ImageFile = getattr(plugin, reader)(io.BytesIO(data))
            return image
    raise unreadable(data)


def unreadable(data: bytes) -> PictureError:
    """Return the error for a file that cannot be decoded, as far as its first bytes explain it."""
    if error := recognize_binary(data):
        return error
    for name, offset, signature in UNSUPPORTED:
        if data.startswith(signature, offset):
            return UnsupportedFormat(
                f"{name} files are not supported. Send JPEG, PNG, WebP, GIF, BMP or TIFF."
            )
    is_damaged = any(data.startswith(signatures) for _, signatures, *_ in FORMATS)
    error = None if is_damaged else recognize_text(data)
    return error or NotAnImage("The file is not an image, or it is damaged or truncated.")
