"""Image file -> upright RGB pixels, for uploads and urls alike.

The header is checked before any pixel is decoded. Pillow is imported with the first file that is
not an ordinary JPEG, because startup would pay for it.
"""

from __future__ import annotations

import logging

from inference.decoding.bounds import Charge, check_file, check_header, no_charge
from inference.decoding.formats import JPEG_SIGNATURE, unreadable
from inference.decoding.jpeg import read_header
from inference.decoding.jpeg_pixels import decode_pixels
from inference.decoding.orientation import read_orientation, to_upright, upright_size
from inference.decoding.resolution import DecodedImage, Resolution
from inference.errors import ImageTooLarge, PictureError, is_out_of_memory
from inference.types import ImageRGB

logger = logging.getLogger("matchvec")


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
        charge: Called with the estimated milliseconds of one core for all decodes of the picture,
            before any pixel is decoded, twice for a damaged JPEG. It raises PictureError if the
            request may not take that long.

    Raises:
        PictureError: As for `decode`.
    """
    return _decode(data, max_pixels, resolution, charge)


def _decode(
    data: bytes, max_pixels: int, resolution: Resolution | None, charge: Charge = no_charge
) -> DecodedImage:
    try:
        check_file(data, max_pixels)
        decoded = _decode_jpeg(data, max_pixels, resolution, charge)
        if decoded is None:
            from inference.decoding.other_formats import decode_other

            decoded = decode_other(data, max_pixels, charge)
        return decoded
    except PictureError:
        raise
    except Exception as error:  # Pillow raises nearly every built-in exception on damaged files.
        if is_out_of_memory(error):
            logger.exception("out of memory while decoding a picture of %d bytes", len(data))
            raise ImageTooLarge(
                "The picture needs more memory than is available. Scale it down."
            ) from error
        raise unreadable(data) from error


def _decode_jpeg(
    data: bytes, max_pixels: int, resolution: Resolution | None, charge: Charge
) -> DecodedImage | None:
    """Decode a gray or color JPEG; None if the file is another one, or has a flaw."""
    header = read_header(data) if data.startswith(JPEG_SIGNATURE) else None
    if header is None:
        return None
    charge(check_header(header, data, max_pixels))
    orientation = read_orientation(header.exif)
    size_wh = upright_size(header.size, orientation)
    reduction = resolution.reduction(size_wh) if resolution else 1
    stored_rgb = decode_pixels(data, header.size, reduction)
    if stored_rgb is None:
        return None
    return DecodedImage(to_upright(stored_rgb, orientation), reduction, size_wh)
