"""TIFFs that Pillow does not write."""

from __future__ import annotations

import struct


def jpeg_in_tiff(width: int, height: int, jpeg: bytes) -> bytes:
    """Return a gray TIFF whose only strip is this JPEG."""
    fields = [
        (256, width), (257, height), (258, 8), (259, 7), (262, 1),
        (273, 8 + 2 + 12 * 9 + 4), (277, 1), (278, height), (279, len(jpeg)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in fields)
    return struct.pack("<4sLH", b"II*\0", 8, len(fields)) + entries + bytes(4) + jpeg
