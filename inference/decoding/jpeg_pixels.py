"""JPEG pixels by libjpeg-turbo, at a reduced size where that is enough.

simplejpeg writes into a numpy array without a copy and stops at the first flaw of a file. Pillow
decodes the rest: it tolerates flaws, and knows CMYK and unusual subsampling.
"""

from __future__ import annotations

import simplejpeg

from inference.errors import NotAnImage, is_out_of_memory
from inference.types import ImageRGB, SizeWH

END_OF_IMAGE = b"\xff\xd9"
RESTART_INTERVAL = b"\xff\xdd"
"""Markers of ITU T.81, table B.1."""

NO_END = "Premature end of JPEG file"
MISSING_DATA = "premature end of data segment"
PADDING = "extraneous bytes before marker 0xd9"
"""Warnings of libjpeg; simplejpeg raises the first one."""


def decode_pixels(data: bytes, size_wh: SizeWH, reduction: int) -> ImageRGB | None:
    """Decode a JPEG that has no flaw but a missing end marker or padding before it.

    Args:
        data: A JPEG of one or three components.
        size_wh: Width and height of the stored image in pixels.
        reduction: Source pixels per decoded pixel and side: 1, 2, 4 or 8.

    Returns:
        uint8 [height, width, 3] as stored: `size_wh` divided by `reduction`, rounded up; None if
        the file has a flaw that Pillow may tolerate, or needs Pillow for its subsampling.

    Raises:
        NotAnImage: The file is truncated.
        MemoryError: There is not enough memory.
        ValueError: The same, in libjpeg's words.
    """
    try:
        if simplejpeg.decode_jpeg_header(data, strict=False)[1::-1] != size_wh:
            return None  # Pillow and libjpeg disagree, so the bounds were checked on another size.
        try:
            return _decode(data, size_wh, reduction)
        except ValueError as error:
            if NO_END not in str(error):
                raise
        return _decode(data + END_OF_IMAGE, size_wh, reduction)
    except KeyError:  # simplejpeg has no name for the subsampling.
        return None
    except ValueError as error:
        if is_out_of_memory(error):
            raise
        if MISSING_DATA in str(error) and not data.endswith(END_OF_IMAGE):
            raise NotAnImage("The JPEG is truncated. Save it again and retry.") from error
        return None


def _decode(data: bytes, size_wh: SizeWH, reduction: int) -> ImageRGB:
    min_width, min_height = (-(-side // reduction) for side in size_wh)
    image_rgb: ImageRGB
    try:
        image_rgb = simplejpeg.decode_jpeg(data, min_height=min_height, min_width=min_width)
    except ValueError as error:
        # The image is complete, unless it ends at a restart marker that is missing.
        if PADDING not in str(error) or RESTART_INTERVAL in data:
            raise
        image_rgb = simplejpeg.decode_jpeg(
            data, min_height=min_height, min_width=min_width, strict=False
        )
    return image_rgb
