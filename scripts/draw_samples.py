"""Draw the sample pictures: `python -m scripts.draw_samples [FOLDER]` (default: samples/).

Every shape is drawn by this code, so the project can license the pictures. All randomness is
seeded: the pixels are always the same, but JPEG bytes can differ between Pillow versions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from scripts.drawing.pen import RGB, Pen, Sheet
from scripts.drawing.scenes import lane_marks, photographed, street
from scripts.drawing.vehicles import (
    BUS_LENGTH,
    CAR_LENGTH,
    TRUCK_LENGTH,
    draw_box_truck,
    draw_bus,
    draw_car,
    draw_tipper,
)

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
JPEG_QUALITY = 85
EXIF_ORIENTATION = 0x0112
TURNED_LEFT = 6
"""Exif 2.32, 4.6.4 A: "the 0th row is the right-hand side": rotate clockwise to view."""

RED, BLUE, GREEN = (190, 30, 34), (40, 90, 170), (30, 90, 60)
SILVER, WHITE, YELLOW = (150, 156, 162), (226, 226, 224), (240, 190, 40)

_LENGTHS: dict[Callable[[Pen, RGB], None], float] = {
    draw_car: CAR_LENGTH,
    draw_bus: BUS_LENGTH,
    draw_box_truck: TRUCK_LENGTH,
    draw_tipper: TRUCK_LENGTH,
}


def place(
    sheet: Sheet,
    draw: Callable[[Pen, RGB], None],
    colour: RGB,
    left: float,
    wheels_y: float,
    width: float,
    faces_left: bool = False,
) -> None:
    """Draw a vehicle on the road, `width` px wide, its wheels `wheels_y` px from the top."""
    length = _LENGTHS[draw]
    draw(Pen(sheet, left, wheels_y, width / length, length if faces_left else None), colour)


def draw_street() -> Image.Image:
    """Draw three cars and a bus, 1024 x 683."""
    sheet = street((1024, 683), horizon=330, seed=7)
    lane_marks(sheet, 165, 70, 7)
    place(sheet, draw_bus, RED, 30, 425, 500, faces_left=True)
    place(sheet, draw_car, SILVER, 640, 415, 250)
    place(sheet, draw_car, YELLOW, 60, 600, 350, faces_left=True)
    place(sheet, draw_car, BLUE, 560, 640, 410, faces_left=True)
    return photographed(sheet, seed=1)


def draw_bus_picture() -> Image.Image:
    """Draw one bus, 960 x 540."""
    sheet = street((960, 540), horizon=230, seed=3)
    place(sheet, draw_bus, BLUE, 110, 450, 740)
    return photographed(sheet, seed=2)


def draw_car_picture() -> Image.Image:
    """Draw one car, 800 x 533."""
    sheet = street((800, 533), horizon=220, seed=11)
    place(sheet, draw_car, RED, 140, 450, 520, faces_left=True)
    return photographed(sheet, seed=3)


def draw_truck_picture() -> Image.Image:
    """Draw a tipper behind a car, 960 x 640."""
    sheet = street((960, 640), horizon=290, seed=5)
    lane_marks(sheet, 130, 80, 7)
    place(sheet, draw_tipper, YELLOW, 330, 480, 560, faces_left=True)
    place(sheet, draw_car, WHITE, 40, 590, 300, faces_left=True)
    return photographed(sheet, seed=4)


def draw_lorry_picture() -> Image.Image:
    """Draw a box lorry, 960 x 640."""
    sheet = street((960, 640), horizon=260, seed=5)
    place(sheet, draw_box_truck, YELLOW, 215, 510, 530)
    return photographed(sheet, seed=5)


def draw_upright_picture() -> Image.Image:
    """Draw one car in portrait format, 600 x 800."""
    sheet = street((600, 800), horizon=330, seed=13)
    place(sheet, draw_car, SILVER, 50, 610, 500)
    return photographed(sheet, seed=6)


def draw_cutout() -> Image.Image:
    """Draw one car on a transparent background, 640 x 360, RGBA."""
    sheet = Sheet((640, 360))
    place(sheet, draw_car, BLUE, 140, 245, 360, faces_left=True)
    return sheet.finished()


def save_all(folder: Path) -> list[Path]:
    """Draw every sample into `folder`, created if missing; return the paths in the demo's order."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = {
        "street.jpg": draw_street,
        "bus.jpg": draw_bus_picture,
        "car.jpg": draw_car_picture,
        "truck.jpg": draw_truck_picture,
        "lorry.jpg": draw_lorry_picture,
    }
    for name, draw in scenes.items():
        draw().save(folder / name, quality=JPEG_QUALITY)
    draw_cutout().save(folder / "cutout.png", optimize=True)
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURNED_LEFT
    turned = draw_upright_picture().transpose(Image.Transpose.ROTATE_90)
    turned.save(folder / "rotated.jpg", quality=JPEG_QUALITY, exif=exif)
    return [folder / name for name in (*scenes, "cutout.png", "rotated.jpg")]


if __name__ == "__main__":
    for path in save_all(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES):
        print(path)
