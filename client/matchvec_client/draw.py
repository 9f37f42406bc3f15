"""Boxes and labels on copies of the pictures, in the API's colours."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from matchvec_client.errors import UsageError
from matchvec_client.images import HAS_PILLOW, open_upright
from matchvec_client.sources import Source
from matchvec_client.types import Picture, Prediction

if HAS_PILLOW:
    from PIL import ImageDraw, ImageFont

if TYPE_CHECKING:
    from PIL.Image import Image

RGB = tuple[int, int, int]
COLOURS: tuple[RGB, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Colours that colour-blind readers can distinguish (Okabe and Ito, 2008)."""
COLOUR_SALT = 20924
"""Start value of the checksum, the same as the API's, so that the colours agree."""
LETTER_SHARE = 1 / 45
"""Letter size as a share of the longer side, so that labels are legible at any resolution."""
SMALLEST_LETTERS = 10
LINE_SHARE = 1 / 256


def save_annotated(source: Source, picture: Picture, target: Path) -> None:
    """Save a copy of a picture as JPEG, with boxes and labels.

    Raises:
        OSError: The file cannot be read or written.
        CannotDecode: Pillow cannot read the picture.
    """
    content = source.path.read_bytes() if source.path else source.content or b""
    image = open_upright(content)
    draw(image, picture.predictions)
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(target, "JPEG", quality=90)


def target_of(folder: Path, source: Source) -> Path:
    """Return the path of a picture's copy: its own path below the folder, as .jpg."""
    path = PurePath(source.name)
    parts = ["__" if part == ".." else part for part in path.parts if part != path.anchor]
    target = folder.joinpath(*parts)
    is_jpeg = target.suffix.lower() in (".jpg", ".jpeg")
    return target if is_jpeg else target.with_name(target.name + ".jpg")


def check_targets(folder: Path, sources: Sequence[Source]) -> None:
    """Check that no copy replaces a picture.

    Raises:
        UsageError: A copy would replace a picture.
    """
    originals = {os.path.realpath(source.path) for source in sources if source.path}
    for source in sources:
        if source.path and os.path.realpath(target_of(folder, source)) in originals:
            message = f"--annotate {folder} would replace {source.name}. Use another folder."
            raise UsageError(message)


def draw(image: Image, predictions: Sequence[Prediction]) -> None:
    """Draw boxes, then labels, on a picture: above the box if there is room, otherwise in it."""
    canvas = ImageDraw.Draw(image)
    line = max(1, round(max(image.size) * LINE_SHARE))
    font = ImageFont.load_default(max(SMALLEST_LETTERS, max(image.size) * LETTER_SHARE))
    for found in predictions:
        far = max(found.x1, found.x2 - 1), max(found.y1, found.y2 - 1)
        canvas.rectangle((found.x1, found.y1, *far), outline=colour_of(found), width=line)
    taken: list[tuple[int, int, int, int]] = []
    padding = max(2, line)
    for found in predictions:
        letters = canvas.textbbox((0, 0), found.label, font=font, anchor="lt")
        width, height = round(letters[2]) + 2 * padding, round(letters[3]) + 2 * padding
        left, top = _place(found, (width, height), image.size, taken)
        taken.append((left, top, left + width, top + height))
        canvas.rectangle((left, top, left + width - 1, top + height - 1), fill=colour_of(found))
        ink = _ink_on(colour_of(found))
        canvas.text((left + padding, top + padding), found.label, ink, font, anchor="lt")


def colour_of(found: Prediction) -> RGB:
    """Return the colour of an object's class."""
    return COLOURS[zlib.crc32(found.class_name.encode(), COLOUR_SALT) % len(COLOURS)]


def _place(
    found: Prediction,
    plate_wh: tuple[int, int],
    resolution_wh: tuple[int, int],
    taken: Sequence[tuple[int, int, int, int]],
) -> tuple[int, int]:
    """Return left and top of a label: the first place in the picture that covers no label."""
    width, height = plate_wh
    left = max(0, min(found.x1, resolution_wh[0] - width))
    tops = (found.y1 - height, found.y1, found.y2 - height, found.y2)
    places = [top for top in tops if 0 <= top <= resolution_wh[1] - height]
    for top in places:
        if not any(
            left < x2 and x1 < left + width and top < y2 and y1 < top + height
            for x1, y1, x2, y2 in taken
        ):
            return left, top
    return left, places[0] if places else max(0, min(found.y1, resolution_wh[1] - height))


def _ink_on(colour: RGB) -> RGB:
    """Return black or white, whichever has more contrast (weights of ITU-R BT.601)."""
    red, green, blue = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else (255, 255, 255)
