"""Bounds of a TIFF's first directory, checked before libtiff reads it."""

from __future__ import annotations

from struct import Struct, unpack_from

from inference.errors import NotAnImage

VALUE_BYTES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
    16: 8, 17: 8, 18: 8,
}  # fmt: skip
"""Field type -> bytes per value: TIFF 6.0, section 2; BigTIFF adds the last three."""


def check_directory(data: bytes) -> None:
    """Refuse a file whose first directory takes too much memory.

    libtiff copies the value of every field, and fields can share their bytes: 2,000 fields with the
    same 4 MB took 8 GB.

    Args:
        data: A file with a TIFF or BigTIFF signature.

    Raises:
        NotAnImage: The fields claim more bytes than the file has.
        struct.error: The directory is missing.
    """
    order = "<" if data.startswith(b"II") else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    offset_format, count_format, first = ("Q", "Q", 8) if is_big else ("L", "H", 4)
    (offset,) = unpack_from(order + offset_format, data, first)
    (fields,) = unpack_from(order + count_format, data, offset)
    field = Struct(order + ("HHQ8x" if is_big else "HHL4x"))
    start = offset + Struct(order + count_format).size
    claimed = 0
    for position in range(start, start + fields * field.size, field.size):
        _, kind, count = field.unpack_from(data, position)
        claimed += count * VALUE_BYTES.get(kind, 0)
    if claimed > len(data):
        raise NotAnImage(
            "The TIFF's fields claim more bytes than the file has. Save it again and retry."
        )
