"""The committed sample pictures are those that the script draws."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from scripts.draw_samples import SAMPLES, save_all
from scripts.drawing.pen import Pen, Sheet, flat, outline, rectangle, tinted

UPRIGHT_SIZES = {
    "street.jpg": (1024, 683),
    "bus.jpg": (960, 540),
    "car.jpg": (800, 533),
    "truck.jpg": (960, 640),
    "lorry.jpg": (960, 640),
    "cutout.png": (640, 360),
    "rotated.jpg": (600, 800),
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples") / "new"
    save_all(folder)
    return folder


def test_the_folder_holds_exactly_what_is_drawn(drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == sorted(UPRIGHT_SIZES)
    committed = {path.name for path in SAMPLES.iterdir()} - {"README.md"}
    assert committed == set(UPRIGHT_SIZES)


@pytest.mark.parametrize("name", UPRIGHT_SIZES)
def test_a_committed_picture_shows_what_the_script_draws(name: str, drawn: Path) -> None:
    with Image.open(SAMPLES / name) as committed, Image.open(drawn / name) as new:
        assert committed.getexif() == new.getexif()
        assert ImageOps.exif_transpose(committed).size == UPRIGHT_SIZES[name]
        difference = np.abs(np.asarray(committed, np.int16) - np.asarray(new, np.int16))
    assert difference.mean() < 1.0  # levels of 255; encoders differ slightly


@pytest.mark.parametrize("name", UPRIGHT_SIZES)
def test_a_picture_is_small(name: str) -> None:
    assert (SAMPLES / name).stat().st_size < 200_000


def test_the_rotated_picture_is_stored_on_its_side() -> None:
    with Image.open(SAMPLES / "rotated.jpg") as image:
        assert image.size == (800, 600)
        assert image.getexif()[0x0112] == 6


def test_the_cutout_is_transparent_around_the_car() -> None:
    with Image.open(SAMPLES / "cutout.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (360, 640, 4)
    alpha = pixels[:, :, 3]
    assert alpha[0, 0] == 0
    assert alpha[190, 250] == 255


class TestPen:
    def test_outline_follows_lines_and_curves(self) -> None:
        points = outline("M 0 0 L 1 0 C 1 1 1 1 0 1")
        assert points[:2] == [(0.0, 0.0), (1.0, 0.0)]
        assert points[-1] == (0.0, 1.0)
        assert len(points) == 2 + 16

    @pytest.mark.parametrize(
        ("mirrored_length", "column"), [(None, 6), (5.0, 13)], ids=["facing right", "facing left"]
    )
    def test_a_unit_lands_on_its_pixels(self, mirrored_length: float | None, column: int) -> None:
        sheet = Sheet((20, 20))
        pen = Pen(sheet, left=0, bottom=20, scale=4, mirrored_length=mirrored_length)
        pen.fill(rectangle(1, 0, 2, 1), flat((255, 0, 0)))
        pixels = np.asarray(sheet.finished())
        assert pixels[18, column, 3] > 240  # the edges of supersampled shapes are soft
        assert pixels[10, column, 3] == 0
        assert pixels[18, 19 - column, 3] == 0

    def test_what_lies_off_the_sheet_is_not_drawn(self) -> None:
        sheet = Sheet((8, 8))
        Pen(sheet, 0, 8).fill(rectangle(50, 50, 60, 60), flat((255, 0, 0)))
        assert not np.asarray(sheet.finished()).any()

    @pytest.mark.parametrize(
        ("factor", "expected"),
        [(0.5, (50, 100, 0)), (1, (100, 200, 0)), (1.5, (178, 228, 128)), (2, (255, 255, 255))],
    )
    def test_tinted(self, factor: float, expected: tuple[int, int, int]) -> None:
        assert tinted((100, 200, 0), factor) == expected
