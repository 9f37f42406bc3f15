"""Image file -> upright RGB pixels, for uploads and urls alike.

The header is checked before any pixel is decoded.
"""

from __future__ import annotations

import logging
import warnings

from PIL import Image, JpegImagePlugin
from PIL.ImageFile import ImageFile

from inference.decoding.bounds import check_file, check_header
from inference.decoding.formats import open_image, unreadable
from inference.decoding.orientation import read_orientation, upright_size
from inference.decoding.resolution import DecodedImage, Resolution
from inference.decoding.rgb import to_upright_rgb
from inference.errors import ImageTooLarge, PictureError, is_out_of_memory
from inference.types import ImageRGB

# The sender of a damaged file gets an error; Pillow's warnings would only fill the log.
# (libtiff writes a line of its own to standard error.)
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# `check_header` enforces the limit, with our own error; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None

logger = logging.getLogger("matchvec")


def decode(data: bytes, *, max_pixels: int) -> ImageRGB:
    """Decode a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF (first page).

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


def decode_reduced(data: bytes, *, max_pixels: int, resolution: Resolution) -> DecodedImage:
    """Decode an image as `decode` does, but a JPEG only to the resolution that is needed.

    Args:
        data: The file. All of it is read at any resolution.
        max_pixels: Largest width times height of the whole image, by the file's header.
        resolution: Smallest size of the result.

    Raises:
        PictureError: As for `decode`.
    """
    return _decode(data, max_pixels, resolution)


def _decode(data: bytes, max_pixels: int, resolution: Resolution | None) -> DecodedImage:
    try:
        check_file(data)
        with open_image(data) as image:
            check_header(image, data, max_pixels)
            size_wh = image.size
            reduction = _reduce(image, resolution) if resolution else 1
            # One block: joining the default blocks of 64 KB takes a twentieth of the time.
            image.decodermaxblock = len(data)
            image.load()
            orientation = read_orientation(image)
            image_rgb = to_upright_rgb(image, orientation)
            return DecodedImage(image_rgb, reduction, upright_size(size_wh, orientation))
    except PictureError:
        raise
    except Exception as error:  # Pillow raises nearly every built-in exception on damaged files.
        if is_out_of_memory(error):
            logger.exception("out of memory while decoding a picture of %d bytes", len(data))
            raise ImageTooLarge(
                "The picture needs more memory than is available. Scale it down."
            ) from error
        raise unreadable(data) from error


def _reduce(image: ImageFile, resolution: Resolution) -> int:
    """Set up a JPEG to be decoded at a reduced size; return the source pixels per pixel."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return 1
    width, height = image.size
    reduction = resolution.reduction(upright_size(image.size, read_orientation(image)))
    # Pillow takes the largest reduction that leaves at least as many pixels as requested, and at
    # least one: a side of a few pixels is not reduced as far as the other one could be.
    reduced = image.draft(image.mode, (max(1, width // reduction), max(1, height // reduction)))
    if reduced is None:
        return 1
    # Taken from Pillow's answer: 20x8 pixels become 3, which would also result from 7 per pixel.
    _, (_, _, reduced_width, _) = reduced
    return round(width / reduced_width)
