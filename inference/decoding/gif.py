"""Bounds of the blocks before a GIF's first frame, which Pillow reads one by one in Python."""

from __future__ import annotations

from inference.errors import NotAnImage

MAX_BLOCKS = 20_000
"""Blocks of comments, animation and color profiles, up to 255 bytes each."""

HEADER_BYTES = 13
HAS_PALETTE = 0x80
PALETTE_SIZE = 0x07
EXTENSION = 0x21
FIRST_FRAME = (0x2C, 0x3B)
"""An image, or the end of the file: GIF89a, sections 20 and 27."""


def check_blocks(data: bytes) -> None:
    """Refuse a file whose extensions take seconds and much memory to read.

    Args:
        data: A file with a GIF signature.

    Raises:
        NotAnImage: The file has too many blocks or stray bytes before the first frame.
        IndexError: The file ends before its first frame.
    """
    position = HEADER_BYTES
    if data[10] & HAS_PALETTE:
        position += 6 << (data[10] & PALETTE_SIZE)
    is_extension = False
    for _ in range(MAX_BLOCKS):
        kind = data[position]
        if is_extension:
            position += 1 + kind
            is_extension = kind != 0
        elif kind in FIRST_FRAME:
            return
        else:
            is_extension = kind == EXTENSION
            position += 2 if is_extension else 1
    raise NotAnImage(
        f"The GIF has more than {MAX_BLOCKS} blocks before its first frame. "
        "Save it again and retry."
    )
