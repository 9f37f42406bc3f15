"""Pictures whose few bytes stand for much work are refused by their headers; others are decoded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from PIL import Image

from inference.budget import RequestBudget
from inference.decoding.cost import COSTS, check_cost
from inference.decoding.decode import decode, decode_reduced
from inference.decoding.resolution import SMALLEST
from inference.decoding.source import ImageSource
from inference.errors import ImageTooLarge, PictureError, UnsupportedFormat
from scripts.worst_case.pictures import (
    TIFF_COMPRESSIONS,
    empty_jpeg,
    empty_png,
    encode,
    flat,
    noise,
    refined_jpeg,
    rle_bmp,
    soft,
)
from tests.support.hostile import BYTES
from tests.support.tiff import jpeg_in_tiff

LIMIT = 50_000_000
SIDE = 7000


def scan_headers(width: int, height: int) -> bytes:
    data = empty_jpeg(width, height, components=1, is_damaged=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * (BYTES // 10) + data[-2:]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "JPEG: empty scans": partial(empty_jpeg, SIDE, SIDE, scans=3),
    "JPEG: empty scans of one component": partial(empty_jpeg, SIDE, SIDE, components=1, scans=20),
    "JPEG: scans without data": partial(empty_jpeg, SIDE, SIDE, scans=20, is_damaged=True),
    "JPEG: refining scans": partial(refined_jpeg, SIDE, SIDE, components=3, scans=90),
    "PNG: one bit": partial(empty_png, SIDE, SIDE, bits=1, color=0, interlaced=True),
    "WebP: lossless": lambda: encode(flat(SIDE, SIDE), "WEBP", lossless=True, method=0),
    "AVIF: one colour": lambda: encode(flat(SIDE, SIDE), "AVIF", speed=10),
}


def estimate_ms(data: bytes) -> float:
    charged: list[float] = []
    decode_reduced(data, max_pixels=LIMIT, resolution=SMALLEST, charge=charged.append)
    return charged[0]


def refuse(data: bytes) -> tuple[type[PictureError], bool]:
    """Return the error of a picture, and whether it came before any pixel was decoded."""
    charged: list[float] = []
    with pytest.raises(PictureError) as raised:
        decode_reduced(data, max_pixels=LIMIT, resolution=SMALLEST, charge=charged.append)
    return raised.type, not charged


@pytest.mark.promise("cheap-bytes-expensive-work")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_few_bytes_of_much_work_are_refused_by_the_header(make: Callable[[], bytes]) -> None:
    assert refuse(make()) == (ImageTooLarge, True)


@pytest.mark.promise("cheap-bytes-expensive-work")
def test_a_million_scans_exceed_a_small_limit_of_the_request() -> None:
    budget = RequestBudget(max_ms=4000, crops_per_picture=1, crops=1)
    data = scan_headers(8, 8)
    budget.add_bytes(len(data))

    with pytest.raises(ImageTooLarge):
        ImageSource(data, LIMIT, budget).decode(SMALLEST)


@pytest.mark.parametrize("row", COSTS)
def test_50_megapixels_of_every_mode_may_be_decoded(row: str) -> None:
    decode_ms, size = COSTS[row].pixel * 50, 2_000_000
    check_cost(decode_ms, size)
    budget = RequestBudget(max_ms=8000, crops_per_picture=1, crops=1)
    budget.add_bytes(size)

    budget.charge(decode_ms, size)


SMALLER = {
    "JPEG: empty scans": partial(empty_jpeg, 2000, 1000, scans=3),
    "PNG: interlaced, 16 bits": partial(empty_png, 2000, 1000, interlaced=True),
    "WebP: lossless": lambda: encode(flat(2000, 1000), "WEBP", lossless=True, method=0),
    "AVIF: one colour": lambda: encode(flat(2000, 1000), "AVIF", speed=10),
    "BMP: run-length encoded": lambda: rle_bmp(2000, 1000, (b"\1\0" * 2000 + b"\0\0") * 1000),
}


@pytest.mark.parametrize("make", SMALLER.values(), ids=SMALLER)
def test_the_same_with_two_megapixels_is_decoded(make: Callable[[], bytes]) -> None:
    assert decode(make(), max_pixels=LIMIT).shape == (1000, 2000, 3)


PHOTOS: dict[str, dict[str, object]] = {
    "JPEG": {},
    "JPEG, progressive": {"progressive": True},
    "JPEG, CMYK": {"mode": "CMYK"},
    "PNG": {"compress_level": 1},
    "PNG, RGBA": {"mode": "RGBA", "compress_level": 1},
    "WEBP": {"method": 0},
    "WEBP, lossless": {"lossless": True, "method": 0},
    "GIF": {"mode": "P"},
    "BMP": {},
    **{
        f"TIFF, {name}": {"compression": name, "mode": mode}
        for name, mode in TIFF_COMPRESSIONS.values()
        if name != "lzma"
    },
    "AVIF": {"speed": 10},
}


@pytest.mark.parametrize(("name", "options"), PHOTOS.items(), ids=PHOTOS)
def test_a_photograph_of_any_mode_costs_a_fraction_of_what_it_may(
    name: str, options: dict[str, object]
) -> None:
    options = dict(options)
    image = soft(1000, 750).convert(str(options.pop("mode", "RGB")))
    milliseconds = estimate_ms(encode(image, name.partition(",")[0], **options))

    megapixels = 0.75
    assert 0 < 24 / megapixels * milliseconds < 4000


def test_the_estimate_grows_with_pixels_bytes_and_scans() -> None:
    one = estimate_ms(empty_jpeg(1000, 1000))
    assert estimate_ms(empty_jpeg(2000, 1000)) == pytest.approx(2 * one, rel=0.01)
    assert estimate_ms(empty_jpeg(1000, 1000, scans=50)) > 1.5 * one
    assert estimate_ms(encode(noise(500, 500), "WEBP")) > 2 * estimate_ms(
        encode(flat(500, 500), "WEBP")
    )


FRAMES = {"SOF2": 0xC2, "SOF3": 0xC3, "SOF9": 0xC9, "SOF10": 0xCA}


@pytest.mark.promise("cheap-bytes-expensive-work")
@pytest.mark.parametrize("marker", FRAMES.values(), ids=FRAMES)
def test_rare_jpeg_modes_are_refused_in_a_tiff_too(marker: int) -> None:
    """The 337 bytes of an arithmetic-coded JPEG took 12 s. A TIFF can hold the same."""
    jpeg = empty_jpeg(SIDE, SIDE, components=1).replace(b"\xff\xc2", bytes([0xFF, marker]), 1)

    assert refuse(jpeg_in_tiff(SIDE, SIDE, jpeg)) == (UnsupportedFormat, True)


def test_an_ordinary_jpeg_in_a_tiff_is_decoded() -> None:
    jpeg = encode(Image.new("L", (64, 32), 128), "JPEG")

    assert decode(jpeg_in_tiff(64, 32, jpeg), max_pixels=LIMIT).shape == (32, 64, 3)
