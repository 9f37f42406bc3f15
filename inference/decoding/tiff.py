"""Bounds of a TIFF's first directory, checked before libtiff reads it, and TIFFs not supported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct, unpack_from

from inference.errors import ImageTooLarge, NotAnImage, UnsupportedFormat
from inference.types import SizeWH

VALUE_BYTES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
    16: 8, 17: 8, 18: 8,
}  # fmt: skip
"""Field type -> bytes per value: TIFF 6.0, section 2; BigTIFF adds the last three."""

SHORT = 3
INTEGERS = {1: "B", 3: "H", 4: "L", 16: "Q"}
"""Field type -> struct format of the unsigned integers."""

SUBFILE_TYPE, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES = 254, 258, 259, 262, 277
TILE_WIDTH, TILE_HEIGHT, SUB_DIRECTORIES, SAMPLE_FORMAT = 322, 323, 330, 339
DNG_VERSION = 50706
"""Numbers of tags: TIFF 6.0; DNG 1.6."""

REDUCED_IMAGE = 1
WHITE_IS_ZERO = 0
SENSOR_DATA = frozenset({32803, 34892})
"""Photometric interpretations of raw files: color filter array and linear raw (DNG 1.6)."""
CANON_RAW = b"CR\x02\x00"
CANON_RAW_OFFSET = 8
FLOATING_POINT = frozenset({3, 5, 6})
"""Sample formats: IEEE floating point and complex numbers."""
COMPRESSIONS = {34712: "JPEG 2000", 34887: "LERC", 50001: "WebP", 50002: "JPEG XL"}
"""Compressions that are not supported."""

JPEG_COMPRESSIONS = frozenset({6, 7})
RARE_JPEG_FRAME = re.compile(rb"\xff[\xc2\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]\0[\x0b-\x26]")
"""Marker and length of a JPEG frame that is not baseline or extended Huffman coding (ITU T.81,
B.2.2). Compressed data never has these bytes."""

SAME_COSTS = {2: 4, 3: 4, 6: 7, 32771: 4, 32946: 8}
"""Number of a compression -> number of one that takes as long: CCITT, JPEG and deflate."""

RGB_BYTES = 3
"""Bytes per pixel of the pictures with which the cost of compressions was measured."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory of a TIFF.

    Attributes:
        values: Tag -> first value, of the fields with unsigned integers.
        offsets: Tag -> offset of that value in the file, of the fields with 16-bit integers.
        order: Byte order, as in `struct`.
        claimed: Bytes that all fields claim together.
    """

    values: dict[int, int]
    offsets: dict[int, int]
    order: str
    claimed: int


def read_directory(data: bytes) -> Directory:
    """Read the first directory of a TIFF or BigTIFF.

    Raises:
        struct.error: The directory is missing or truncated.
    """
    order = "<" if data.startswith(b"II") else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    offset_format, count_format, first = ("Q", "Q", 8) if is_big else ("L", "H", 4)
    (offset,) = unpack_from(order + offset_format, data, first)
    (fields,) = unpack_from(order + count_format, data, offset)
    field = Struct(order + ("HHQ8x" if is_big else "HHL4x"))
    value_bytes = 8 if is_big else 4
    start = offset + Struct(order + count_format).size
    claimed = 0
    values: dict[int, int] = {}
    offsets: dict[int, int] = {}
    for position in range(start, start + fields * field.size, field.size):
        tag, kind, count = field.unpack_from(data, position)
        size = count * VALUE_BYTES.get(kind, 0)
        claimed += size
        place = position + field.size - value_bytes
        if size > value_bytes:
            (place,) = unpack_from(order + offset_format, data, place)
        if kind in INTEGERS and count and place + VALUE_BYTES[kind] <= len(data):
            (values[tag],) = unpack_from(order + INTEGERS[kind], data, place)
            if kind == SHORT:
                offsets[tag] = place
    return Directory(values, offsets, order, claimed)


def check_directory(data: bytes, directory: Directory, max_pixels: int) -> None:
    """Refuse a TIFF that takes too much memory or is of a kind that is not supported.

    libtiff copies the value of every field, and fields can share their bytes: 2,000 fields with the
    same 4 MB took 8 GB.

    Args:
        data: The file.
        directory: Its first directory.
        max_pixels: Largest number of pixels of a tile.

    Raises:
        NotAnImage: The fields claim more bytes than the file has.
        ImageTooLarge: The tiles are too large.
        UnsupportedFormat: The file is a camera's raw file, which holds no more than a thumbnail;
            has floating-point samples; or has a compression that is not supported.
    """
    values = directory.values
    if directory.claimed > len(data):
        raise NotAnImage(
            "The TIFF's fields claim more bytes than the file has. Save it again and retry."
        )
    _check_kind(data, values)
    if values.get(TILE_WIDTH, 0) * values.get(TILE_HEIGHT, 0) > max_pixels:
        raise ImageTooLarge(
            f"The TIFF has tiles of over {max_pixels} pixels. Save it again and retry."
        )


def _check_kind(data: bytes, values: Mapping[int, int]) -> None:
    """Refuse raw files, floating-point samples and compressions that are not supported."""
    is_thumbnail = values.get(SUBFILE_TYPE, 0) & REDUCED_IMAGE and SUB_DIRECTORIES in values
    if (
        is_thumbnail
        or DNG_VERSION in values
        or values.get(PHOTOMETRIC) in SENSOR_DATA
        or data.startswith(CANON_RAW, CANON_RAW_OFFSET)
    ):
        raise UnsupportedFormat("Raw files of cameras are not supported. Convert the file to JPEG.")
    if values.get(SAMPLE_FORMAT) in FLOATING_POINT:
        raise UnsupportedFormat(
            "TIFFs with floating-point samples are not supported. Convert the file to PNG."
        )
    if compression := COMPRESSIONS.get(values.get(COMPRESSION, 0)):
        raise UnsupportedFormat(
            f"TIFFs with {compression} compression are not supported. Convert the file to PNG."
        )
    if values.get(COMPRESSION) in JPEG_COMPRESSIONS and RARE_JPEG_FRAME.search(data):
        raise UnsupportedFormat(
            "TIFFs with progressive, lossless or arithmetic JPEG compression are not supported. "
            "Convert the file to JPEG."
        )


def decoded_pixels(directory: Directory, size_wh: SizeWH) -> tuple[str, int]:
    """Return the row of the cost table, and the pixels that libtiff decodes, as those of 3 bytes.

    Tiles can be larger than the image. Strips can share their bytes, so the file's size says
    nothing.

    Args:
        directory: First directory of the file.
        size_wh: Width and height of the image in pixels.
    """
    values, (width, height) = directory.values, size_wh
    tile_width, tile_height = values.get(TILE_WIDTH) or 1, values.get(TILE_HEIGHT) or 1
    columns, rows = -(-width // tile_width), -(-height // tile_height)
    pixel_bytes = values.get(SAMPLES, 1) * values.get(BITS, 8) / 8
    compression = values.get(COMPRESSION, 1)
    pixels = columns * tile_width * rows * tile_height * max(1.0, pixel_bytes / RGB_BYTES)
    return f"TIFF {SAME_COSTS.get(compression, compression)}", round(pixels)


def without_white_is_zero(data: bytes, directory: Directory) -> bytes | None:
    """Return the file with black as zero, for Pillow, if it has 16 bits and white as zero.

    Pillow ignores the interpretation of such a file, or refuses it. The caller inverts the pixels.
    """
    values = directory.values
    place = directory.offsets.get(PHOTOMETRIC)
    if place is None or values[PHOTOMETRIC] != WHITE_IS_ZERO or values.get(BITS) != 16:
        return None
    changed = bytearray(data)
    changed[place + (directory.order == ">")] = 1
    return bytes(changed)
