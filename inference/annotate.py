"""Draw boxes and labels on images."""

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
"""Box in pixels of the image, class name and label of an object."""

_COLORS: tuple[RGB, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Distinguishable with color blindness: Okabe and Ito, "Color Universal Design" (2008)."""
_COLOR_SALT = 20924
"""Start value of the checksum, chosen so that common vehicles get different colors."""

_LETTER_SHARE = 1 / 45
"""Font size as a share of the longer side: labels look the same when the whole image is shown."""
_SMALLEST_LETTERS = 10
_LARGEST_LETTERS = 120
_LINE_SHARE = 1 / 256


def annotate(image_rgb: ImageRGB, labelled_boxes: Sequence[LabelledBox]) -> ImageRGB:
    """Draw boxes with labels on a copy of an image.

    Lines and fonts scale with the image. A label is placed above its box, or at another edge where
    it covers fewer labels, then fewer objects. It stays inside the image; a label wider than the
    image gets a smaller font, then is truncated.

    Args:
        image_rgb: uint8 [height, width, 3]; it is not changed.
        labelled_boxes: (box_xyxy in pixels of the image, class name, label) of each object.
            The class name selects the color.

    Returns:
        A new array of the same shape and dtype.
    """
    image = Image.fromarray(image_rgb)
    draw = ImageDraw.Draw(image)
    line_width = max(1, round(max(image.size) * _LINE_SHARE))
    for (x1, y1, x2, y2), class_name, _ in labelled_boxes:
        # Pillow includes the bottom right corner; boxes exclude it.
        corners = (x1, y1, max(x1, x2 - 1), max(y1, y2 - 1))
        draw.rectangle(corners, outline=color_of(class_name), width=line_width)
    boxes = [box_xyxy for box_xyxy, _, _ in labelled_boxes]
    plates: list[Plate] = []
    for box_xyxy, class_name, label in labelled_boxes:
        font, text = _fitted(label, image.size)
        if text:
            plate = _placed(box_xyxy, _plate_size(font, text), image.size, plates, boxes)
            _draw_label(draw, plate, font, text, color_of(class_name))
            plates.append(plate)
    return np.array(image)


def color_of(class_name: str) -> RGB:
    """Return the color of a class, the same in every process (unlike `hash`)."""
    return _COLORS[zlib.crc32(class_name.encode(), _COLOR_SALT) % len(_COLORS)]


def _fitted(label: str, resolution_wh: tuple[int, int]) -> tuple[Font, str]:
    """Return a font and as much of the label as fits into the image, "" if nothing fits."""
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
    return ImageFont.load_default(size)  # Part of Pillow: no font file to deploy.


def _fits(font: Font, text: str, resolution_wh: tuple[int, int]) -> bool:
    plate_width, plate_height = _plate_size(font, text)
    return plate_width <= resolution_wh[0] and plate_height <= resolution_wh[1]


def _padding(font: Font) -> int:
    return max(1, round(font.getbbox("X", anchor="lt")[3] * 0.3))


def _plate_size(font: Font, text: str) -> tuple[int, int]:
    """Return width and height in pixels of a label's background; the height is the same for all."""
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
    """Return the position that covers the fewest pixels of other labels, then of objects."""
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
    # The positions above are all outside if the box is lower than its label and at the bottom.
    left, top = max(0, min(x1, width - plate_width)), max(0, min(y1, height - plate_height))
    yield left, top, left + plate_width, top + plate_height


def _covered(plate: Plate, others: Sequence[Plate]) -> int:
    """Return the number of pixels of `others` under a plate."""
    x1, y1, x2, y2 = plate
    return sum(
        max(0, min(x2, other_x2) - max(x1, other_x1))
        * max(0, min(y2, other_y2) - max(y1, other_y1))
        for other_x1, other_y1, other_x2, other_y2 in others
    )


def _draw_label(draw: ImageDraw.ImageDraw, plate: Plate, font: Font, text: str, color: RGB) -> None:
    x1, y1, x2, y2 = plate
    draw.rectangle((x1, y1, x2 - 1, y2 - 1), fill=color)
    padding = _padding(font)
    # "ls" anchors at the baseline, so that letters with and without descenders align.
    baseline = y1 + padding + round(font.getbbox("X", anchor="lt")[3])
    draw.text((x1 + padding, baseline), text, fill=_ink_on(color), font=font, anchor="ls")


def _ink_on(color: RGB) -> RGB:
    """Return black or white, whichever has more contrast (luminance weights of ITU-R BT.601)."""
    red, green, blue = color
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else (255, 255, 255)
