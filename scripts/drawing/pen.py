"""Fill smooth shapes, in metres or pixels, with shaded colours.

Pillow draws without anti-aliasing, so everything is drawn `SUPERSAMPLING` times too large and
scaled down once at the end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SUPERSAMPLING = 3
CURVE_STEPS = 16

Point = tuple[float, float]
RGB = tuple[int, int, int]
Shade = Sequence[tuple[float, RGB]]
"""(position, colour) pairs; positions run from 0 at the top of a shape to 1 at its bottom."""


def flat(colour: RGB) -> Shade:
    """Return a shade with one colour from top to bottom."""
    return ((0.0, colour),)


def tinted(colour: RGB, factor: float) -> RGB:
    """Return `colour` darkened (factor 0..1) or lightened towards white (1..2)."""
    if factor <= 1:
        red, green, blue = (round(channel * factor) for channel in colour)
    else:
        red, green, blue = (round(channel + (255 - channel) * (factor - 1)) for channel in colour)
    return red, green, blue


def outline(path: str) -> list[Point]:
    """Return the points of an SVG path of absolute M, L and C commands (SVG 1.1, section 8.3)."""
    points: list[Point] = []
    for command, coordinates in _commands(path):
        if command == "C":
            points += _bezier(points[-1], *coordinates)
        else:
            points += coordinates
    return points


def _commands(path: str) -> Iterator[tuple[str, list[Point]]]:
    tokens = path.replace(",", " ").split()
    starts = [index for index, token in enumerate(tokens) if token.isalpha()]
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        numbers = [float(token) for token in tokens[start + 1 : end]]
        yield tokens[start], list(zip(numbers[::2], numbers[1::2], strict=True))


def _bezier(start: Point, first: Point, second: Point, end: Point) -> list[Point]:
    t = np.linspace(0, 1, CURVE_STEPS + 1)[1:, None]
    curve = (
        (1 - t) ** 3 * np.array(start)
        + 3 * t * (1 - t) ** 2 * np.array(first)
        + 3 * t**2 * (1 - t) * np.array(second)
        + t**3 * np.array(end)
    )
    return [(float(x), float(y)) for x, y in curve]


def circle(centre: Point, radius: float, start: float = 0.0, turns: float = 1.0) -> list[Point]:
    """Return points on a circle or an arc, counter-clockwise from `start`; angles are in turns."""
    angles = np.linspace(start, start + turns, 97) * 2 * math.pi
    x, y = centre
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def rectangle(
    left: float, bottom: float, right: float, top: float, radius: float = 0.0
) -> list[Point]:
    """Return the points of a rectangle whose corners are quarter circles of `radius`."""
    return [
        *circle((right - radius, top - radius), radius, 0.0, 0.25),
        *circle((left + radius, top - radius), radius, 0.25, 0.25),
        *circle((left + radius, bottom + radius), radius, 0.5, 0.25),
        *circle((right - radius, bottom + radius), radius, 0.75, 0.25),
    ]


class Sheet:
    """A supersampled RGBA picture to draw on; `resolution_wh` is its final size."""

    def __init__(self, resolution_wh: tuple[int, int]) -> None:
        self.resolution_wh = resolution_wh
        width, height = resolution_wh
        self.image = Image.new("RGBA", (width * SUPERSAMPLING, height * SUPERSAMPLING))

    def paint(self, mask: Image.Image, corner: tuple[int, int], shade: Shade) -> None:
        """Paint through `mask` (mode "L"), whose top left corner is at `corner` (sheet pixels)."""
        positions = np.linspace(0, 1, mask.height)
        stops = [position for position, _ in shade]
        levels = [
            np.interp(positions, stops, [colour[channel] for _, colour in shade])
            for channel in range(3)
        ]
        column = np.stack(levels, axis=1)[:, None, :].round().astype(np.uint8)
        patch = Image.fromarray(column).resize(mask.size, Image.Resampling.NEAREST)
        patch.putalpha(mask)
        self.image.alpha_composite(patch, corner)

    def finished(self) -> Image.Image:
        """Return the picture in its final size, RGBA."""
        return self.image.resize(self.resolution_wh, Image.Resampling.LANCZOS)


@dataclass(frozen=True, slots=True)
class Pen:
    """A pen that draws on a sheet in its own units.

    The point (x, y) is drawn at pixel (left + x * scale, bottom - y * scale) of the final picture:
    y points up, and vehicles use metres. With `mirrored_length`, x counts backwards from that
    length, which makes a vehicle face left.
    """

    sheet: Sheet
    left: float
    bottom: float
    scale: float = 1.0
    mirrored_length: float | None = None

    def fill(
        self, points: Sequence[Point], shade: Shade, opacity: float = 1.0, blur: float = 0.0
    ) -> None:
        """Fill a closed outline; `blur` (in the pen's units) softens its edge, as for shadows."""
        pixels, pad = self._pixels(points), self._length(3 * blur)
        columns, rows = zip(*pixels, strict=True)
        width, height = self.sheet.image.size
        left, top = max(0, int(min(columns)) - pad), max(0, int(min(rows)) - pad)
        right = min(width, int(max(columns)) + 1 + pad)
        bottom = min(height, int(max(rows)) + 1 + pad)
        if left >= right or top >= bottom:
            return
        mask = Image.new("L", (right - left, bottom - top))
        shifted = [(x - left, y - top) for x, y in pixels]
        ImageDraw.Draw(mask).polygon(shifted, fill=round(255 * opacity))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(self._length(blur)))
        self.sheet.paint(mask, (left, top), shade)

    def stroke(
        self, points: Sequence[Point], width: float, shade: Shade, opacity: float = 1.0
    ) -> None:
        """Draw a line through the points."""
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            dx, dy = (y1 - y0) / length * width / 2, (x0 - x1) / length * width / 2
            corners = [
                (x0 + dx, y0 + dy),
                (x1 + dx, y1 + dy),
                (x1 - dx, y1 - dy),
                (x0 - dx, y0 - dy),
            ]
            self.fill(corners, shade, opacity)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        mirror = self.mirrored_length
        return [
            (
                (self.left + (x if mirror is None else mirror - x) * self.scale) * SUPERSAMPLING,
                (self.bottom - y * self.scale) * SUPERSAMPLING,
            )
            for x, y in points
        ]

    def _length(self, length: float) -> int:
        return round(length * self.scale * SUPERSAMPLING)
