"""Image file -> upright RGB pixels, for uploads and urls alike.

The header is checked before any pixel is decoded.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from inference.decoding.animation import first_frame_box, whiten_outside
from inference.decoding.bounds import check_file, check_header
from inference.decoding.formats import JPEG_SIGNATURE, TIFF_SIGNATURES, open_image, unreadable
from inference.decoding.jpeg_pixels import decode_pixels
from inference.decoding.orientation import read_orientation, to_upright, upright_size
from inference.decoding.png import ends_with_last_chunk
from inference.decoding.resolution import DecodedImage, Resolution
from inference.decoding.rgb import to_rgb
from inference.decoding.tiff import check_directory, read_directory, without_white_is_zero
from inference.errors import ImageTooLarge, PictureError, is_out_of_memory
from inference.types import ImageRGB

# The sender of a damaged file gets an error; Pillow's warnings would only fill the log.
# (libtiff writes a line of its own to standard error.)
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# `check_header` enforces the limit, with our own error; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None

# OpenCV would log every damaged file to standard error.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

Charge = Callable[[float], None]
"""Subtracts estimated milliseconds from the budget of a request."""

logger = logging.getLogger("matchvec")


def no_charge(_milliseconds: float) -> None:
    """Accept any estimate."""


def decode(data: bytes, *, max_pixels: int) -> ImageRGB:
    """Decode a JPEG, PNG, WebP, GIF (first frame), BMP, TIFF (first page), HEIC or AVIF.

    EXIF orientation is applied, transparency is composited over white, and 16-bit samples are
    reduced to 8; palette, gray and CMYK become RGB. Colour profiles are not applied.

    Args:
        data: The file.
        max_pixels: Largest width times height, by the file's header.

    Returns:
        uint8 [height, width, 3], C-contiguous.

    Raises:
        NotAnImage: The bytes are not an image, or a damaged one.
        UnsupportedFormat: The bytes are an image of another format.
        ImageTooLarge: The image has more than `max_pixels`, or decoding ran out of memory.
    """
    return _decode(data, max_pixels, None).image_rgb


def decode_reduced(
    data: bytes, *, max_pixels: int, resolution: Resolution, charge: Charge = no_charge
) -> DecodedImage:
    """Decode an image as `decode` does, but a JPEG only to the resolution that is needed.

    Args:
        data: The file. All of it is read at any resolution.
        max_pixels: Largest width times height of the whole image, by the file's header.
        resolution: Smallest size of the result.
        charge: Called with the estimated milliseconds of one core before any pixel is decoded. It
            raises PictureError if the request may not take that long.

    Raises:
        PictureError: As for `decode`.
    """
    return _decode(data, max_pixels, resolution, charge)


def _decode(
    data: bytes, max_pixels: int, resolution: Resolution | None, charge: Charge = no_charge
) -> DecodedImage:
    try:
        check_file(data, max_pixels)
        inverted = _inverted_tiff(data, max_pixels)
        with open_image(inverted or data) as image:
            charge(check_header(image, data, max_pixels))
            stored_rgb, reduction = _pixels(image, inverted or data, resolution)
            orientation = read_orientation(image)
            size_wh = upright_size(image.size, orientation)
        del image  # Free Pillow's copy of the pixels before they are copied again.
        if inverted:
            np.invert(stored_rgb, out=stored_rgb)
        return DecodedImage(to_upright(stored_rgb, orientation), reduction, size_wh)
    except PictureError:
        raise
    except Exception as error:  # Pillow raises nearly every built-in exception on damaged files.
        if is_out_of_memory(error):
            logger.exception("out of memory while decoding a picture of %d bytes", len(data))
            raise ImageTooLarge(
                "The picture needs more memory than is available. Scale it down."
            ) from error
        raise unreadable(data) from error


def _inverted_tiff(data: bytes, max_pixels: int) -> bytes | None:
    """Check a TIFF; return it with black as zero if Pillow would not invert it correctly."""
    if not data.startswith(TIFF_SIGNATURES):
        return None
    directory = read_directory(data)
    check_directory(data, directory, max_pixels)
    return without_white_is_zero(data, directory)


def _pixels(image: ImageFile, data: bytes, resolution: Resolution | None) -> tuple[ImageRGB, int]:
    """Return the pixels as stored, and the source pixels that each stands for, 1 if not a JPEG."""
    if data.startswith(JPEG_SIGNATURE) and image.mode in {"L", "RGB"}:
        size_wh = upright_size(image.size, read_orientation(image))
        reduction = resolution.reduction(size_wh) if resolution else 1
        image_rgb = decode_pixels(data, image.size, reduction)
        if image_rgb is not None:
            return image_rgb, reduction
    box = first_frame_box(image, data)
    if box is None and _suits_opencv(image, data):
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        decoded = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
        if decoded is not None and decoded.shape[1::-1] == image.size:
            return np.asarray(decoded, dtype=np.uint8), 1
    # One block: joining the default blocks of 64 KB takes a twentieth of the time.
    image.decodermaxblock = len(data)
    image.load()
    image_rgb = to_rgb(image)
    if box is not None:
        whiten_outside(image_rgb, box)
    return image_rgb, 1


def _suits_opencv(image: ImageFile, data: bytes) -> bool:
    """Return whether OpenCV gives the pixels that Pillow gives, in less time and memory.

    OpenCV accepts a truncated PNG, and Pillow finds EXIF after the pixels only by decoding them.
    """
    if image.mode not in {"L", "RGB"} or image.has_transparency_data:
        return False
    if image.format == "PNG":
        is_animated = getattr(image, "is_animated", False)
        has_late_exif = "exif" not in image.info and b"eXIf" in data
        return ends_with_last_chunk(data) and not is_animated and not has_late_exif
    return image.format == "WEBP"
