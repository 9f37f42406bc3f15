"""Boxes and labels drawn over a picture, for people to look at."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inference.types import BoxXYXY, ImageRGB

RGB = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Plate = tuple[int, int, int, int]

LabelledBox = tuple[BoxXYXY, str, str]
"""Box in pixels of the picture, class name, label of an object."""

_COLOURS: tuple[RGB, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Told apart by colour-blind readers too: Okabe and Ito, "Color Universal Design" (2008)."""
_COLOUR_SALT = 20924
"""Start value of the checksum: one that keeps common kinds of vehicle apart."""

_LETTER_SHARE = 1 / 45
"""Letter size as a share of the picture's longer side: however large the picture, its labels
look the same on a screen that shows all of it."""
_SMALLEST_LETTERS = 10
_LARGEST_LETTERS = 120
_LINE_SHARE = 1 / 256


def annotate(image_rgb: ImageRGB, labelled_boxes: Sequence[LabelledBox]) -> ImageRGB:
    """Draw boxes with labels over a copy of a picture.

    Lines and letters grow with the picture. A label stands on its box, or elsewhere at its edge
    where it covers less: other labels above all, then objects. It never leaves the picture, and a
    label wider than the picture is set smaller, then cut.

    Args:
        image_rgb: uint8 [height, width, 3], red first; left as it is.
        labelled_boxes: (box_xyxy in pixels of the picture, class name, label) of each object.
            The class name chooses the colour.

    Returns:
        A new array of the same shape and dtype.
    """
    image = Image.fromarray(image_rgb)
    draw = ImageDraw.Draw(image)
    line_width = max(1, round(max(image.size) * _LINE_SHARE))
    for (x1, y1, x2, y2), class_name, _ in labelled_boxes:
        # Pillow draws the far corner too; a box ends before it.
        corners = (x1, y1, max(x1, x2 - 1), max(y1, y2 - 1))
        draw.rectangle(corners, outline=colour_of(class_name), width=line_width)
    boxes = [box_xyxy for box_xyxy, _, _ in labelled_boxes]
    plates: list[Plate] = []
    for box_xyxy, class_name, label in labelled_boxes:
        font, text = _fitted(label, image.size)
        if text:
            plate = _placed(box_xyxy, _plate_size(font, text), image.size, plates, boxes)
            _draw_label(draw, plate, font, text, colour_of(class_name))
            plates.append(plate)
    return np.array(image)


def colour_of(class_name: str) -> RGB:
    """The colour of a class, the same in every picture and process (`hash` would differ)."""
    return _COLOURS[zlib.crc32(class_name.encode(), _COLOUR_SALT) % len(_COLOURS)]


def _fitted(label: str, resolution_wh: tuple[int, int]) -> tuple[Font, str]:
    """A font and as much of the label as fits into the picture; "" where no letter does."""
    wished = round(max(resolution_wh) * _LETTER_SHARE)
    size = min(max(wished, _SMALLEST_LETTERS), _LARGEST_LETTERS)
    while size > _SMALLEST_LETTERS and not _fits(_font(size), label, resolution_wh):
        size -= 1
    font = _font(size)
    if _fits(font, label, resolution_wh):
        return font, label
    for end in range(len(label) - 1, 0, -1):
        if _fits(font, label[:end] + "...", resolution_wh):
            return font, label[:end] + "..."
    return font, ""


def _font(size: int) -> Font:
    return ImageFont.load_default(size)  # shipped inside Pillow: no font file to deploy


def _fits(font: Font, text: str, resolution_wh: tuple[int, int]) -> bool:
    plate_width, plate_height = _plate_size(font, text)
    return plate_width <= resolution_wh[0] and plate_height <= resolution_wh[1]


def _padding(font: Font) -> int:
    return max(1, round(font.getbbox("X", anchor="lt")[3] * 0.3))


def _plate_size(font: Font, text: str) -> tuple[int, int]:
    """Width and height in pixels of the plate under a text, the same height for every text."""
    padding = _padding(font)
    width = round(font.getbbox(text)[2]) + 2 * padding
    return width, round(font.getbbox("Xg", anchor="lt")[3]) + 2 * padding


def _placed(
    box_xyxy: BoxXYXY,
    plate_wh: tuple[int, int],
    resolution_wh: tuple[int, int],
    taken: Sequence[Plate],
    boxes: Sequence[BoxXYXY],
) -> Plate:
    """Where a label's plate goes: the place that covers least of other labels, then of objects."""
    places = _places(box_xyxy, plate_wh, resolution_wh)
    return min(places, key=lambda place: (_covered(place, taken), _covered(place, boxes)))


def _places(
    box_xyxy: BoxXYXY, plate_wh: tuple[int, int], resolution_wh: tuple[int, int]
) -> Iterator[Plate]:
    x1, y1, x2, y2 = box_xyxy
    (plate_width, plate_height), (width, height) = plate_wh, resolution_wh
    for top in (y1 - plate_height, y2, y1, y2 - plate_height):
        for left in (x1, x2 - plate_width):
            if 0 <= top <= height - plate_height:
                inside = max(0, min(left, width - plate_width))
                yield inside, top, inside + plate_width, top + plate_height
    # A box lower than its label at the picture's foot has no place in the list above.
    left, top = max(0, min(x1, width - plate_width)), max(0, min(y1, height - plate_height))
    yield left, top, left + plate_width, top + plate_height


def _covered(plate: Plate, others: Sequence[Plate]) -> int:
    """How many pixels of others lie under a plate."""
    x1, y1, x2, y2 = plate
    return sum(
        max(0, min(x2, other_x2) - max(x1, other_x1))
        * max(0, min(y2, other_y2) - max(y1, other_y1))
        for other_x1, other_y1, other_x2, other_y2 in others
    )


def _draw_label(
    draw: ImageDraw.ImageDraw, plate: Plate, font: Font, text: str, colour: RGB
) -> None:
    x1, y1, x2, y2 = plate
    draw.rectangle((x1, y1, x2 - 1, y2 - 1), fill=colour)
    padding = _padding(font)
    # "ls": from the baseline, where letters with and without a tail stand level
    baseline = y1 + padding + round(font.getbbox("X", anchor="lt")[3])
    draw.text((x1 + padding, baseline), text, fill=_ink_on(colour), font=font, anchor="ls")


def _ink_on(colour: RGB) -> RGB:
    """Black or white, whichever stands out more (luminance weights of ITU-R BT.601)."""
    red, green, blue = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else (255, 255, 255)
