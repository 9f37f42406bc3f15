"""The formats that are decoded, by signature, and the names of those that are not."""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING

from inference.decoding.heif import as_still, brand_of
from inference.decoding.unreadable import SEND, recognize_binary, recognize_text
from inference.errors import NotAnImage, PictureError, UnsupportedFormat

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

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
    ("HEIC", (), "pi_heif.as_plugin", "HeifImageFile"),
    ("AVIF", (), "PIL.AvifImagePlugin", "AvifImageFile"),
)
"""Name, possible signatures, module of the Pillow plugin, and what in it reads a header. HEIC and
AVIF are recognized by their brand."""

OPTIONS: dict[str, tuple[str, dict[str, bool | int]]] = {
    # Pillow's own reader takes minutes for an uncompressed file of many tiny strips.
    "TIFF": ("PIL.TiffImagePlugin", {"READ_LIBTIFF": True}),
    # Pictures are processed in parallel, so threads of decoders would compete for the few cores.
    "AVIF": ("PIL.AvifImagePlugin", {"DEFAULT_MAX_THREADS": 1}),
    "HEIC": (
        "pi_heif.options",
        {"DECODE_THREADS": 1, "THUMBNAILS": False, "DEPTH_IMAGES": False, "AUX_IMAGES": False},
    ),
}
"""Name of the format -> module and values of its global options."""

UNSUPPORTED = (
    ("HEIF sequence", 4, b"ftyp"),
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
    brand = brand_of(data)
    if brand == "AVIF":
        data = as_still(data)
    for name, signatures, module, reader in FORMATS:
        if data.startswith(signatures) or name == brand:
            if name in OPTIONS:
                options_module, options = OPTIONS[name]
                vars(import_module(options_module)).update(options)
            image: ImageFile = getattr(import_module(module), reader)(io.BytesIO(data))
            return image
    raise unreadable(data)


def unreadable(data: bytes) -> PictureError:
    """Return the error for a file that cannot be decoded, as far as its first bytes explain it."""
    if error := recognize_binary(data):
        return error
    for name, offset, signature in UNSUPPORTED:
        if data.startswith(signature, offset):
            return UnsupportedFormat(f"{name} files are not supported. {SEND}")
    is_damaged = any(data.startswith(signatures) for _, signatures, *_ in FORMATS)
    error = None if is_damaged else recognize_text(data)
    return error or NotAnImage("The file is not an image, or it is damaged or truncated.")
