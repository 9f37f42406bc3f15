"""First frames that do not fill the canvas of an animation: the rest of it becomes white."""

from __future__ import annotations

from PIL.ImageFile import ImageFile

from inference.types import ImageRGB

WHITE = 255
FRAME_CHUNK = b"ANMF"
FRAME_FIELDS = 3
"""Bytes per field: x / 2, y / 2, width - 1 and height - 1 (WebP container specification)."""

Box = tuple[int, int, int, int]
"""Corners x1, y1, x2, y2 in pixels of the canvas."""


def first_frame_box(image: ImageFile, data: bytes) -> Box | None:
    """Return the box of an animation's first frame; None if the file is no animation.

    Args:
        image: The opened file, not decoded.
        data: The file.
    """
    if image.format == "GIF" and image.tile:
        x1, y1, x2, y2 = image.tile[0].extents or (0, 0, *image.size)
        return x1, y1, x2, y2
    frame = data.find(FRAME_CHUNK) if image.format == "WEBP" else -1
    if frame < 0:
        return None
    start = frame + len(FRAME_CHUNK) + 4
    x, y, width, height = (
        int.from_bytes(data[position : position + FRAME_FIELDS], "little")
        for position in range(start, start + 4 * FRAME_FIELDS, FRAME_FIELDS)
    )
    return 2 * x, 2 * y, 2 * x + width + 1, 2 * y + height + 1


def whiten_outside(image_rgb: ImageRGB, box: Box) -> None:
    """Set the pixels outside of a box to white: uint8 [height, width, 3], changed in place."""
    x1, y1, x2, y2 = box
    image_rgb[:y1] = image_rgb[y2:] = WHITE
    image_rgb[y1:y2, :x1] = image_rgb[y1:y2, x2:] = WHITE
