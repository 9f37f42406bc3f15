"""Bytes -> upright RGB pixels: the one decode path of uploads and urls.

Bounds come before work: format and pixel count are read from the header, and only then is
anything decoded.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable

import numpy as np

# Importing a plugin registers it: with these no other format can ever be asked.
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from inference.errors import ImageTooLarge, NotAnImage, PictureError, UnsupportedFormat
from inference.gif import check_blocks
from inference.jpeg import check_segments
from inference.png import check_chunks
from inference.tiff import check_directory
from inference.types import ImageRGB

FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
        TiffImagePlugin.TiffImageFile,
    )
)

# A damaged file is answered to its sender; Pillow's remarks about it would only fill the log.
# (libtiff writes a line of its own for one to standard error, past every logger.)
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# Pillow's own reader of uncompressed TIFF takes minutes over a file of many tiny strips.
TiffImagePlugin.READ_LIBTIFF = True

# The limit is ours to enforce, from the header, with our own error: Pillow's would warn too late.
Image.MAX_IMAGE_PIXELS = None

OTHER_FORMATS = (
    ("HEIC or AVIF", 4, b"ftyp"),
    ("JPEG 2000", 0, b"\x00\x00\x00\x0cjP"),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 0, b"\x00\x00\x00\x0cJXL"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("ICO", 0, b"\x00\x00\x01\x00"),
    ("Photoshop", 0, b"8BPS"),
    ("PDF", 0, b"%PDF"),
    ("SVG", 0, b"<svg"),
    ("OpenEXR", 0, b"\x76\x2f\x31\x01"),
    ("DDS", 0, b"DDS "),
    ("QOI", 0, b"qoif"),
)
"""Name, offset and signature of pictures that people do send, to tell them what to change."""

TIFF_TILE_WIDTH, TIFF_TILE_HEIGHT = 322, 323
"""The tags' numbers: TIFF 6.0, section 15."""

EXIF_ORIENTATION = 0x0112
"""The tag's number: Exif 3.0 (CIPA DC-008), section 4.6.5."""

STORED_VIEW: dict[int, Callable[[ImageRGB], ImageRGB]] = {
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],
    8: lambda upright: np.rot90(upright, -1),
}
"""By orientation: an upright picture's array as the file stores it; 1 is stored upright."""

FIRST_SIDEWAYS = 5
"""From this orientation on, width and height are exchanged."""

MAX_SIDE = 1_000_000
"""Pillow keeps 8 bytes for each row: a column of 50 million pixels took it 800 MB and 4 s."""

STRIP_PIXELS = 1 << 20
"""How much is converted at a time: a whole picture of 50 megapixels would take 1 GB to convert."""

START_OF_SCAN = b"\xff\xda"
MAX_JPEG_SCANS = 100
"""A progressive JPEG has about 10; each scan costs as much time as the whole picture does.
libjpeg-turbo's own guide suggests such a limit: https://libjpeg-turbo.org/pmwiki/uploads/About/TwoIssueswiththeJPEGStandard.pdf"""

MAX_SCANNED_PIXELS = 2_000_000_000
"""Scans times pixels: 50 megapixels in 100 scans took 4 s."""

MAX_RLE_PIXELS = 4_000_000
"""Of a run-length encoded BMP, which Pillow decodes in Python: a few bytes can mean seconds."""

MAX_RLE_BYTES_PER_PIXEL = 3
"""A code of 2 bytes stands for one pixel or more; further ones only take time."""

MAX_RLE_HEADER_BYTES = 1 << 16

PRE_CHECKS: tuple[tuple[bytes, Callable[[bytes], None]], ...] = (
    (b"\xff\xd8\xff", check_segments),
    (b"\x89PNG\r\n\x1a\n", check_chunks),
    (b"GIF8", check_blocks),
)
"""By signature: what Pillow must not be made to open."""

INTEGER_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
"""Pillow's modes for gray samples wider than 8 bits: files of these formats use 16 of them."""


Allocate = Callable[[tuple[int, int, int]], ImageRGB]


def _new(shape: tuple[int, int, int]) -> ImageRGB:
    return np.empty(shape, dtype=np.uint8)


def decode(data: bytes, *, max_pixels: int, allocate: Allocate = _new) -> ImageRGB:
    """Decode a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF (first page).

    EXIF orientation is applied, transparency is laid over white, 16-bit samples are cut to 8;
    palette, gray and CMYK become RGB. Colour profiles are not applied.

    Args:
        data: The file.
        max_pixels: Most pixels, width times height, by the file's header.
        allocate: Where the pixels go: makes a uint8 array of a shape.

    Returns:
        uint8 [height, width, 3], C-contiguous.

    Raises:
        NotAnImage: The bytes are no picture, or one that is damaged.
        UnsupportedFormat: They are a picture of another format.
        ImageTooLarge: The picture has more than `max_pixels`.
    """
    try:
        for signature, check in PRE_CHECKS:
            if data.startswith(signature):
                check(data)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_bounds(image, data, max_pixels)
            image.load()
            return _to_upright_rgb(image, allocate)
    except PictureError:
        raise
    except MemoryError as error:
        raise ImageTooLarge("The picture needs more memory than there is.") from error
    except Exception as error:  # Pillow raises nearly every built-in exception on damaged files.
        raise _unreadable(data) from error


def _check_bounds(image: ImageFile.ImageFile, data: bytes, max_pixels: int) -> None:
    """Refuse what would take too much time or memory, before it does."""
    width, height = image.size
    pixels = width * height
    if _is_rle(image):
        max_pixels = min(max_pixels, MAX_RLE_PIXELS)
    if pixels > max_pixels:
        raise ImageTooLarge(
            f"The picture has {width}x{height} pixels, the limit is {max_pixels}: scale it down."
        )
    if max(width, height) > MAX_SIDE:
        raise ImageTooLarge(
            f"The picture has {width}x{height} pixels, the limit of a side is {MAX_SIDE}: "
            "cut it up."
        )
    if pixels == 0:
        raise NotAnImage("The picture has no pixels.")
    if _is_rle(image) and len(data) > MAX_RLE_BYTES_PER_PIXEL * pixels + MAX_RLE_HEADER_BYTES:
        raise NotAnImage("The BMP has more codes than pixels: save it anew.")
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        check_directory(data)
        tile_pixels = image.tag_v2.get(TIFF_TILE_WIDTH, 0) * image.tag_v2.get(TIFF_TILE_HEIGHT, 0)
        if tile_pixels > max_pixels:
            raise ImageTooLarge(f"The TIFF has tiles of over {max_pixels} pixels: save it anew.")
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        scans = data.count(START_OF_SCAN)
        if scans > MAX_JPEG_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
            limit = min(MAX_JPEG_SCANS, MAX_SCANNED_PIXELS // pixels)
            raise NotAnImage(f"The JPEG has more than {limit} scans: save it anew.")


def _is_rle(image: ImageFile.ImageFile) -> bool:
    return bool(image.tile) and image.tile[0].codec_name == "bmp_rle"


def _to_upright_rgb(image: Image.Image, allocate: Allocate) -> ImageRGB:
    orientation = _orientation(image)
    width, height = image.size
    shape = (width, height) if orientation >= FIRST_SIDEWAYS else (height, width)
    upright = allocate((*shape, 3))
    stored = STORED_VIEW[orientation](upright) if orientation in STORED_VIEW else upright
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        stored[top:bottom] = _to_rgb(image.crop((0, top, width, bottom)))
    return upright


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # Damaged EXIF data, of any kind, does not make the pixels worse.
        return 1
    return orientation if orientation in STORED_VIEW else 1


def _to_rgb(image: Image.Image) -> ImageRGB:
    if image.mode in INTEGER_MODES:
        gray = (np.asarray(image).clip(0, 0xFFFF) >> 8).astype(np.uint8)
        return np.repeat(gray[:, :, np.newaxis], 3, axis=2)
    if image.mode == "F":
        raise UnsupportedFormat("Floating-point pictures have no known range: convert it to PNG.")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return np.asarray(white)
    return np.asarray(image.convert("RGB"))


def _unreadable(data: bytes) -> PictureError:
    if not data:
        return NotAnImage("The file is empty.")
    for name, offset, signature in OTHER_FORMATS:
        if data.startswith(signature, offset):
            return UnsupportedFormat(
                f"{name} files are not supported: send JPEG, PNG, WebP, GIF, BMP or TIFF."
            )
    return NotAnImage("The file is not a picture, or it is damaged or cut off.")
