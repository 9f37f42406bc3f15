"""Bounds of the blocks before a GIF's first frame, which Pillow reads one by one in Python."""

from __future__ import annotations

from struct import Struct

from inference.errors import ImageTooLarge, NotAnImage

MAX_BLOCKS = 20_000
"""Blocks of comments, animation and color profiles, up to 255 bytes each."""

HEADER_BYTES = 13
HAS_PALETTE = 0x80
PALETTE_SIZE = 0x07
EXTENSION = 0x21
IMAGE = 0x2C
TRAILER = 0x3B
"""Introducers of blocks: GIF89a, appendix C."""

COMMENT = 0xFE
APPLICATION = 0xFF
LOOPS = b"NETSCAPE2.0"

SCREEN = Struct("<6xHH")
FRAME = Struct("<xHHHH")
"""Left, top, width and height of a frame."""


def check_blocks(data: bytes, max_pixels: int) -> None:
    """Refuse a file whose extensions or first frame take seconds or much memory to read.

    The blocks are read as Pillow reads them, also where the file violates the standard. Pillow
    enlarges the canvas by a frame that leaves it, and fills some frames when it opens the file.

    Args:
        data: A file with a GIF signature.
        max_pixels: Largest width times height of the canvas.

    Raises:
        NotAnImage: The file has too many blocks or stray bytes before the first frame.
        ImageTooLarge: The canvas with its first frame has too many pixels.
        IndexError: The file ends before its first frame.
    """
    position = HEADER_BYTES
    if data[10] & HAS_PALETTE:
        position += 6 << (data[10] & PALETTE_SIZE)
    blocks_left = 0  # Blocks of an extension that are read even if they are empty.
    is_extension = False
    for _ in range(MAX_BLOCKS):
        kind = data[position]
        if is_extension:
            position += 1 + kind
            is_extension = kind != 0 or blocks_left > 0
            blocks_left = max(0, blocks_left - 1)
        elif kind == EXTENSION:
            blocks_left = _blocks_read(data, position)
            is_extension = True
            position += 2
        elif kind == IMAGE:
            return _check_frame(data, position, max_pixels)
        elif kind == TRAILER:
            return None
        else:
            position += 1
    raise NotAnImage(
        f"The GIF has more than {MAX_BLOCKS} blocks before its first frame. "
        "Save it again and retry."
    )


def _blocks_read(data: bytes, position: int) -> int:
    """Return how many blocks of an extension Pillow reads before it looks for the empty one."""
    label = data[position + 1]
    if label == COMMENT:
        return 0
    has_loops = label == APPLICATION and data.startswith(LOOPS, position + 3)
    return 2 if has_loops and data[position + 2] else 1


def _check_frame(data: bytes, position: int, max_pixels: int) -> None:
    if position + FRAME.size > len(data):
        return  # Truncated; the decoder reports it.
    screen_width, screen_height = SCREEN.unpack_from(data)
    left, top, frame_width, frame_height = FRAME.unpack_from(data, position)
    width = max(screen_width, left + frame_width)
    height = max(screen_height, top + frame_height)
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The picture has {width}x{height} pixels, the limit is {max_pixels}. Scale it down."
        )
