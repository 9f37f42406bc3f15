"""Draw streets as backgrounds of the sample pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from scripts.drawing.pen import RGB, Pen, Sheet, circle, flat, rectangle, tinted

SKY = ((0.0, (96, 148, 204)), (0.7, (178, 206, 230)), (1.0, (222, 232, 238)))
ASPHALT = ((0.0, (122, 122, 124)), (0.3, (104, 104, 107)), (1.0, (72, 72, 76)))
PAVEMENT = ((0.0, (176, 172, 164)), (1.0, (150, 147, 141)))
KERB = ((0.0, (206, 203, 196)), (1.0, (120, 118, 114)))
PAINT = flat((222, 222, 216))
PANE = ((0.0, (150, 176, 196)), (0.5, (92, 112, 128)), (1.0, (66, 80, 92)))
WALLS: tuple[RGB, ...] = ((178, 140, 116), (206, 192, 166), (158, 92, 76), (186, 186, 182))
GRAIN = 5.0
"""Standard deviation of the noise added to a scene, in levels of 255, because photographs have
grain."""


def street(resolution_wh: tuple[int, int], horizon: float, seed: int) -> Sheet:
    """Return a sheet with sky, houses, trees, pavement and road; `horizon` is the kerb's y (px)."""
    sheet = Sheet(resolution_wh)
    width, height = resolution_wh
    pen = Pen(sheet, 0, height)
    rng = np.random.default_rng(seed)
    pen.fill(rectangle(0, horizon, width, height), SKY)
    for _ in range(5):
        _cloud(pen, rng, width, height)
    left = -float(rng.integers(0, 60))
    for index in range(12):
        if left >= width:
            break
        house_width = float(rng.integers(150, 240)) * height / 640
        top = horizon + float(rng.integers(170, 270)) * height / 640
        _house(pen, left, horizon + 18, left + house_width, top, WALLS[index % len(WALLS)])
        left += house_width + float(rng.integers(0, 2)) * 50
    for x in range(int(rng.integers(40, 120)), width, 260):
        _tree(pen, rng, float(x), horizon + 14, height / 640)
    pen.fill(rectangle(0, horizon - 4, width, horizon + 22), PAVEMENT)
    pen.fill(rectangle(0, horizon - 10, width, horizon - 2), KERB)
    pen.fill(rectangle(0, 0, width, horizon - 10), ASPHALT)
    return sheet


def lane_marks(sheet: Sheet, y: float, length: float, thickness: float) -> None:
    """Draw a dashed line along the road at height `y` (pixels from the bottom)."""
    width, height = sheet.resolution_wh
    pen = Pen(sheet, 0, height)
    left = -length / 3
    while left < width:
        marks = [(left, y), (left + length, y), (left + length * 0.97, y + thickness)]
        pen.fill([*marks, (left - length * 0.03, y + thickness)], PAINT, 0.85)
        left += length * 2.2


def photographed(sheet: Sheet, seed: int) -> Image.Image:
    """Return the finished sheet with noise added, mode RGB."""
    pixels = np.asarray(sheet.finished().convert("RGB"), np.float32)
    grain = np.random.default_rng(seed).normal(0, GRAIN, pixels.shape[:2])[..., None]
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))


def _cloud(pen: Pen, rng: np.random.Generator, width: int, height: int) -> None:
    x, y = float(rng.uniform(0, width)), float(rng.uniform(0.78, 0.95)) * height
    for _ in range(6):
        puff = (x + float(rng.uniform(-70, 70)), y + float(rng.uniform(-8, 8)))
        pen.fill(circle(puff, float(rng.uniform(14, 30))), flat((250, 250, 250)), 0.35, blur=12)


def _house(pen: Pen, left: float, bottom: float, right: float, top: float, wall: RGB) -> None:
    pen.fill(
        rectangle(left, bottom, right, top), ((0.0, tinted(wall, 1.1)), (1.0, tinted(wall, 0.75)))
    )
    pen.fill(rectangle(left, top - 6, right, top + 5), flat(tinted(wall, 0.6)))
    columns, rows = max(2, int((right - left) / 46)), max(2, int((top - bottom) / 60))
    step_x, step_y = (right - left) / columns, (top - bottom) / rows
    for column in range(columns):
        for row in range(rows):
            x, y = left + (column + 0.28) * step_x, bottom + (row + 0.2) * step_y
            window = (x, y, x + step_x * 0.44, y + step_y * 0.58)
            pen.fill(rectangle(x - 3, y - 3, window[2] + 3, window[3] + 3), flat(tinted(wall, 1.5)))
            pen.fill(rectangle(*window), PANE)
            middle = x + step_x * 0.22
            pen.stroke([(middle, y), (middle, window[3])], 2, flat(tinted(wall, 1.5)))


def _tree(pen: Pen, rng: np.random.Generator, x: float, ground: float, scale: float) -> None:
    trunk = rectangle(x - 5 * scale, ground, x + 5 * scale, ground + 90 * scale)
    pen.fill(trunk, ((0.0, (86, 66, 50)), (1.0, (58, 44, 34))))
    for leaf in range(220):
        turn, distance = rng.uniform(0, 2 * np.pi), 52 * np.sqrt(rng.uniform(0, 1))
        dx, dy = float(distance * np.cos(turn)), float(distance * np.sin(turn))
        # Light comes from above: low leaves are dark, high leaves are light.
        green = tinted((70, 104, 52), 0.75 + 0.25 * dy / 52 + 0.25 * leaf / 220)
        middle = (x + dx * scale, ground + (130 + dy) * scale)
        pen.fill(circle(middle, float(rng.uniform(4, 9)) * scale), flat(green), 0.9)
