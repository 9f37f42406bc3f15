"""Bytes -> upright RGB pixels: the one decode path of uploads and urls.

Bounds come before work: format and pixel count are read from the header, and only then is
anything decoded.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin

from inference.decoding.gif import check_blocks
from inference.decoding.jpeg import check_segments, count_scans
from inference.decoding.png import check_chunks
from inference.decoding.rgb import Allocate, orientation_of, to_upright_rgb, upright_size
from inference.decoding.source import Need, Scaled
from inference.decoding.tiff import check_directory
from inference.errors import ImageTooLarge, NotAnImage, PictureError, UnsupportedFormat
from inference.types import ImageRGB

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

# A damaged file is answered to its sender; Pillow's remarks about it would only fill the log.
# (libtiff writes a line of its own for one to standard error, past every logger.)
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

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

MAX_SIDE = 1_000_000
"""Pillow keeps 8 bytes for each row: a column of 50 million pixels took it 800 MB and 4 s."""

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

JPEG_SIGNATURE = b"\xff\xd8\xff"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PRE_CHECKS: tuple[tuple[bytes, Callable[[bytes], None]], ...] = (
    (JPEG_SIGNATURE, check_segments),
    (PNG_SIGNATURE, check_chunks),
    (b"GIF8", check_blocks),
)
"""By signature: what Pillow must not be made to open."""


def new_pixels(shape: tuple[int, ...]) -> ImageRGB:
    """Memory of this process for a picture of a shape."""
    return np.empty(shape, dtype=np.uint8)


def decode(data: bytes, *, max_pixels: int, allocate: Allocate = new_pixels) -> ImageRGB:
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
    return _decode(data, max_pixels, None, allocate).image_rgb


def decode_scaled(data: bytes, *, max_pixels: int, need: Need) -> Scaled:
    """Decode a picture as `decode` does, but a JPEG to no more pixels than are needed.

    Args:
        data: The file; all of it is read, whatever is needed.
        max_pixels: Most pixels of the whole picture, by the file's header.
        need: How many pixels are.

    Raises:
        PictureError: As `decode` does.
    """
    return _decode(data, max_pixels, need, new_pixels)


def _decode(data: bytes, max_pixels: int, need: Need | None, allocate: Allocate) -> Scaled:
    try:
        for signature, check in PRE_CHECKS:
            if data.startswith(signature):
                check(data)
        with _open(data) as image:
            _check_bounds(image, data, max_pixels)
            size_wh = image.size
            shrink = _reduce(image, need) if need else 1
            # All at once: in the usual blocks of 64 KB a twentieth of the time goes into joining.
            image.decodermaxblock = len(data)
            image.load()
            orientation = orientation_of(image)
            image_rgb = to_upright_rgb(image, orientation, allocate)
            return Scaled(image_rgb, shrink, upright_size(size_wh, orientation))
    except PictureError:
        raise
    except MemoryError as error:
        raise ImageTooLarge("The picture needs more memory than there is.") from error
    except Exception as error:  # Pillow raises nearly every built-in exception on damaged files.
        raise _unreadable(data) from error


def _open(data: bytes) -> ImageFile.ImageFile:
    """The picture's header, by the decoder of its format and no other."""
    if data.startswith(JPEG_SIGNATURE):
        # `Image.open` would import four formats more before it looks at the file.
        return JpegImagePlugin.jpeg_factory(io.BytesIO(data))
    from inference.decoding.formats import FORMATS

    return Image.open(io.BytesIO(data), formats=FORMATS)


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
    if image.format == "TIFF":
        check_directory(data)
        tags = cast("TiffImageFile", image).tag_v2
        tile_pixels = tags.get(TIFF_TILE_WIDTH, 0) * tags.get(TIFF_TILE_HEIGHT, 0)
        if tile_pixels > max_pixels:
            raise ImageTooLarge(f"The TIFF has tiles of over {max_pixels} pixels: save it anew.")
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        scans = count_scans(data)
        if scans > MAX_JPEG_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
            limit = min(MAX_JPEG_SCANS, MAX_SCANNED_PIXELS // pixels)
            raise NotAnImage(f"The JPEG has more than {limit} scans: save it anew.")


def _is_rle(image: ImageFile.ImageFile) -> bool:
    return bool(image.tile) and image.tile[0].codec_name == "bmp_rle"


def _reduce(image: ImageFile.ImageFile, need: Need) -> int:
    """Have a JPEG decoded to fewer pixels; returns how many source pixels each stands for."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return 1
    width, height = image.size
    shrink = need.shrink(upright_size(image.size, orientation_of(image)))
    # Pillow takes the largest reduction that leaves as many pixels as it is asked for, which may
    # not be nothing: a side of a few pixels is not reduced as far as the other one could be.
    reduced = image.draft(image.mode, (max(1, width // shrink), max(1, height // shrink)))
    if reduced is None:
        return 1
    # Told by what Pillow says: 20 pixels by 8 become 3, of which 7 would make as many.
    _, (_, _, reduced_width, _) = reduced
    return round(width / reduced_width)


def _unreadable(data: bytes) -> PictureError:
    if not data:
        return NotAnImage("The file is empty.")
    for name, offset, signature in OTHER_FORMATS:
        if data.startswith(signature, offset):
            return UnsupportedFormat(
                f"{name} files are not supported: send JPEG, PNG, WebP, GIF, BMP or TIFF."
            )
    return NotAnImage("The file is not a picture, or it is damaged or cut off.")
