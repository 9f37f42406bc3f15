"""Every file but an ordinary JPEG -> upright RGB pixels, by Pillow or OpenCV."""

from __future__ import annotations

import logging
import warnings

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from inference.decoding.animation import first_frame_box, whiten_outside
from inference.decoding.bounds import Charge, check_header, no_charge
from inference.decoding.formats import TIFF_SIGNATURES, open_image
from inference.decoding.orientation import read_orientation, to_upright, upright_size
from inference.decoding.png import ends_with_last_chunk
from inference.decoding.resolution import DecodedImage
from inference.decoding.rgb import to_rgb
from inference.decoding.tiff import check_directory, read_directory, without_white_is_zero
from inference.opencv import cv2
from inference.types import ImageRGB

# The sender of a damaged file gets an error; Pillow's warnings would only fill the log.
# (libtiff writes a line of its own to standard error.)
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# `check_header` enforces the limit, with our own error; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None

# OpenCV would log every damaged file to standard error.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def decode_other(data: bytes, max_pixels: int, charge: Charge = no_charge) -> DecodedImage:
    """Decode a file at full size.

    Args:
        data: The file, as `check_file` has accepted it.
        max_pixels: Largest width times height, by the file's header.
        charge: Called with the estimated milliseconds of one core for all decodes of the picture,
            before any pixel is decoded.

    Raises:
        PictureError: As for `inference.decoding.decode.decode`.
        Exception: Pillow raises many types for a damaged file.
    """
    inverted = _inverted_tiff(data, max_pixels)
    with open_image(inverted or data) as image:
        charge(check_header(image, data, max_pixels))
        stored_rgb = _pixels(image, inverted or data)
        # A PNG may end with its EXIF data, so it is known after decoding.
        orientation = read_orientation(image.info.get("exif") or b"")
        size_wh = upright_size(image.size, orientation)
    del image  # Free Pillow's copy of the pixels before they are copied again.
    if inverted:
        np.invert(stored_rgb, out=stored_rgb)
    return DecodedImage(to_upright(stored_rgb, orientation), 1, size_wh)


def _inverted_tiff(data: bytes, max_pixels: int) -> bytes | None:
    """Check a TIFF; return it with black as zero if Pillow would not invert it correctly."""
    if not data.startswith(TIFF_SIGNATURES):
        return None
    directory = read_directory(data)
    check_directory(data, directory, max_pixels)
    return without_white_is_zero(data, directory)


def _pixels(image: ImageFile, data: bytes) -> ImageRGB:
    """Return the pixels as stored: uint8 [height, width, 3]."""
    box = first_frame_box(image, data)
    if box is None and _suits_opencv(image, data):
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        decoded = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
        if decoded is not None and decoded.shape[1::-1] == image.size:
            return np.asarray(decoded, dtype=np.uint8)
    # One block: joining the default blocks of 64 KB takes a twentieth of the time.
    image.decodermaxblock = len(data)
    image.load()
    image_rgb = to_rgb(image)
    if box is not None:
        whiten_outside(image_rgb, box)
    return image_rgb


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
