"""The generated pictures that all contestants receive, the same in every run.

Two scenes, a street with four vehicles and a car park with twenty, are drawn once and scaled to
every size. Noise added at full size gives a file about as many bytes as a phone's photo of that
size. All randomness is seeded. JPEG bytes can differ between versions of Pillow, so the report
names
the version.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.draw_samples import BLUE, RED, SILVER, WHITE, YELLOW, place
from scripts.drawing.pen import Sheet
from scripts.drawing.scenes import lane_marks, street
from scripts.drawing.vehicles import draw_bus, draw_car

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "build" / "bench-pictures"
PHOTOS = PROJECT.parent / "shared" / "photos"
"""Photographs next to the project, if any."""

EDITION = "1"
"""Edition in the file names; pictures of another edition are not used."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The recipe of one picture.

    Attributes:
        scene: `street`, `car` (one vehicle) or `car_park` (twenty).
        size_wh: Width and height in pixels.
        grain: Standard deviation of the noise, in levels of 255.
        quality: JPEG quality; 0 for a PNG.
        progressive: Whether the JPEG is progressive.
        seed: Seed of the noise, which makes pictures of one size differ.
    """

    scene: str
    size_wh: tuple[int, int]
    grain: float
    quality: int
    progressive: bool = False
    seed: int = 1

    @property
    def file_name(self) -> str:
        """Return a file name that is unique to the recipe."""
        width, height = self.size_wh
        scans = "-progressive" if self.progressive else ""
        ending = "jpg" if self.quality else "png"
        recipe = f"{self.grain:g}-q{self.quality}-s{self.seed}{scans}"
        return f"{self.scene}-{width}x{height}-{recipe}-e{EDITION}.{ending}"


MP_05 = Picture("street", (816, 612), 5, 85)
MP_2 = Picture("street", (1632, 1224), 5, 85)
MP_12 = Picture("street", (4000, 3000), 8, 90)
MP_24 = Picture("street", (6000, 4000), 5, 85)
PNG_2 = Picture("street", (1632, 1224), 0, 0)
PROGRESSIVE_2 = Picture("street", (1632, 1224), 5, 85, progressive=True)
ONE_VEHICLE = Picture("car", (1632, 1224), 5, 85)
TWENTY_VEHICLES = Picture("car_park", (1632, 1224), 5, 85)


def picture_path(picture: Picture) -> Path:
    """Return the picture's file, generated if missing."""
    path = FOLDER / picture.file_name
    if not path.is_file():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{os.getpid()}-{path.name}")
        _save(picture, unfinished)
        unfinished.replace(path)
    return path


def photo_paths(count: int, max_bytes: int) -> list[Path]:
    """Return the first JPEG photographs, by name, that fit into one request; [] if none exist."""
    chosen: list[Path] = []
    room = max_bytes
    for path in sorted(PHOTOS.glob("*.jpg")):
        size = path.stat().st_size
        if len(chosen) < count and size <= room:
            chosen.append(path)
            room -= size
    return chosen


def _save(picture: Picture, path: Path) -> None:
    large = np.asarray(_scene(picture.scene).resize(picture.size_wh, Image.Resampling.LANCZOS))
    rng = np.random.default_rng(picture.seed)
    grain = rng.normal(0, picture.grain, large.shape[:2]).astype(np.float32)[..., None]
    image = Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8))
    if picture.quality:
        image.save(path, "JPEG", quality=picture.quality, progressive=picture.progressive)
    else:
        image.save(path, "PNG")


@functools.cache
def _scene(name: str) -> Image.Image:
    drawers = {"street": _street, "car": _car, "car_park": _car_park}
    return drawers[name]().finished().convert("RGB")


def _street() -> Sheet:
    sheet = street((1024, 768), horizon=400, seed=7)
    lane_marks(sheet, 165, 70, 7)
    place(sheet, draw_bus, RED, 30, 470, 500, faces_left=True)
    place(sheet, draw_car, SILVER, 640, 460, 250)
    place(sheet, draw_car, YELLOW, 60, 650, 350, faces_left=True)
    place(sheet, draw_car, BLUE, 560, 720, 410, faces_left=True)
    return sheet


def _car() -> Sheet:
    sheet = street((1024, 768), horizon=320, seed=11)
    place(sheet, draw_car, RED, 170, 650, 660, faces_left=True)
    return sheet


def _car_park() -> Sheet:
    colours = (RED, BLUE, SILVER, YELLOW, WHITE)
    sheet = street((1280, 960), horizon=860, seed=5)
    for number in range(20):
        row, column = divmod(number, 4)
        colour = colours[(number * 3 + row) % len(colours)]
        faces_left = bool((number + row) % 2)
        place(sheet, draw_car, colour, 30 + column * 315, 250 + row * 165, 270, faces_left)
    return sheet
