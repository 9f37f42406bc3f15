"""HEIC and AVIF: what is decoded, and the bounds on what a small file makes a decoder do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.decoding.decode import decode
from inference.decoding.heif import MAX_ITEMS, brand_of, check_items
from inference.decoding.heif_codecs import hevc_pixels
from inference.errors import ImageTooLarge, NotAnImage, PictureError, UnsupportedFormat
from tests.support.heif import PICTURE, box, heic, nal_unit, sequence_parameters
from tests.support.pictures import STORED, corners, encode

LIMIT = 50_000_000
AVIF = encode(corners(64, 32), "AVIF", quality=90, speed=10)


def test_an_avif_is_decoded() -> None:
    image_rgb = decode(AVIF, max_pixels=LIMIT)

    assert image_rgb.shape == (32, 64, 3)
    assert image_rgb[5, 5, 0] > 200
    assert image_rgb[25, 50].max() < 50


def test_transparency_of_an_avif_is_white() -> None:
    data = encode(Image.new("RGBA", (16, 16), (9, 9, 9, 0)), "AVIF", speed=10)

    assert decode(data, max_pixels=LIMIT).min() >= 253


@pytest.mark.parametrize(("orientation", "method"), STORED.items())
def test_an_avif_is_turned_upright(orientation: int, method: Image.Transpose | None) -> None:
    stored = corners() if method is None else corners().transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image_rgb = decode(encode(stored, "AVIF", exif=exif, speed=10), max_pixels=LIMIT)

    assert image_rgb.shape == (20, 40, 3)
    assert image_rgb[5, 5, 0] > 200
    assert image_rgb[5, 35, 0] < 50


def test_the_still_image_of_an_animated_avif_counts() -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ((255, 0, 0), (0, 0, 255))]
    data = encode(frames[0], "AVIF", save_all=True, append_images=frames[1:], speed=10)

    assert data[8:12] == b"avis"
    assert decode(data, max_pixels=LIMIT)[8, 8, 0] > 200


SIZES = {"libheif_example.heic": (1280, 854), "pillow_heif_small.heic": (64, 64)}


@pytest.mark.parametrize(("name", "size_wh"), SIZES.items(), ids=SIZES)
def test_a_heic_is_decoded(name: str, size_wh: tuple[int, int], shared: Path) -> None:
    image_rgb = decode((shared / "photos" / name).read_bytes(), max_pixels=LIMIT)

    assert image_rgb.shape == (size_wh[1], size_wh[0], 3)
    assert image_rgb.std() > 10


@pytest.mark.parametrize("name", ["heif_truncated.heic", "heif_corrupted.heic"])
def test_a_damaged_heic_is_refused(name: str, shared: Path) -> None:
    with pytest.raises(NotAnImage):
        decode((shared / "photos" / name).read_bytes(), max_pixels=LIMIT)


def test_every_cut_of_an_avif_is_refused() -> None:
    for end in range(16, len(AVIF)):
        with pytest.raises(PictureError):
            decode(AVIF[:end], max_pixels=LIMIT)


def test_flipped_bits_are_refused_or_decoded_within_the_limit() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        data = bytearray(AVIF)
        data[int(rng.integers(12, len(data)))] ^= 1 << int(rng.integers(8))
        try:
            height, width, _ = decode(bytes(data), max_pixels=10_000).shape
        except PictureError:
            continue
        assert width * height <= 10_000


WITHIN = {
    "one item": heic([(100, 100)]),
    "a grid whose tiles have as many pixels as it": heic(
        [(8, 8), *[(50, 50)] * 4], kinds=[b"grid", *[b"hvc1"] * 4], uses=[2, 3, 4, 5]
    ),
    "an item of metadata": heic([(100, 100), (9999, 9999)], kinds=[b"hvc1", b"Exif"]),
}


@pytest.mark.parametrize("data", WITHIN.values(), ids=WITHIN)
def test_items_within_the_limit(data: bytes) -> None:
    check_items(data, 10_000)


TOO_LARGE = {
    "an item": heic([(200, 200)]),
    "all items together": heic([(100, 100)] * 4),
    "a tile that is used often": heic([(8, 8), (100, 100)], kinds=[b"grid", b"hvc1"], uses=[2] * 4),
    "a second sequence in the content": heic(
        [(8, 8)], content=nal_unit(sequence_parameters(400, 400)) + PICTURE
    ),
    "an AVIF whose header names fewer pixels": AVIF.replace(
        b"ispe" + bytes(4) + (64).to_bytes(4) + (32).to_bytes(4),
        b"ispe" + bytes(4) + (8).to_bytes(4) + (8).to_bytes(4),
    ),
}


@pytest.mark.promise("codec-headers")
@pytest.mark.parametrize(("name", "data"), TOO_LARGE.items(), ids=TOO_LARGE)
def test_items_over_the_limit_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(ImageTooLarge):
        check_items(data, 100 if "AVIF" in name else 10_000)


REFUSED: dict[str, tuple[bytes, type[PictureError]]] = {
    "several pictures in an item": (heic([(8, 8)], content=PICTURE * 2), UnsupportedFormat),
    "another codec": (heic([(8, 8)], kinds=[b"vvc1"]), UnsupportedFormat),
    "an overlay": (heic([(8, 8)], kinds=[b"iovl"]), UnsupportedFormat),
    "too many items": (heic([(8, 8)] * (MAX_ITEMS + 1)), NotAnImage),
    "too many boxes": (heic([(8, 8)]) + box(b"free") * 20_001, NotAnImage),
    "no image": (box(b"ftyp", b"heic" + bytes(4)) + box(b"mdat"), NotAnImage),
    "an animation alone": (box(b"ftyp", b"avis" + bytes(4)) + box(b"moov"), UnsupportedFormat),
    "two meta boxes": (heic([(8, 8)]) + box(b"meta", bytes(4)), NotAnImage),
    "a box that ends after the file": (heic([(8, 8)])[:-1], NotAnImage),
}


@pytest.mark.promise("codec-headers")
@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, error: type[PictureError]) -> None:
    with pytest.raises(error):
        decode(data, max_pixels=LIMIT)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_the_size_of_a_sequence_is_read(layers: int) -> None:
    assert hevc_pixels(sequence_parameters(4032, 3024, layers)) == 4032 * 3024


BRANDS = {
    "HEIC": (heic([(8, 8)]), "HEIC"),
    "HEIC by a phone in a burst": (heic([(8, 8)], brand=b"msf1"), "HEIC"),
    "AVIF": (AVIF, "AVIF"),
    "MP4": (box(b"ftyp", b"isom" + bytes(4)), None),
    "text": (b"abcdftypheic", None),
}


@pytest.mark.parametrize(("data", "brand"), BRANDS.values(), ids=BRANDS)
def test_the_brand_decides(data: bytes, brand: str | None) -> None:
    assert brand_of(data) == brand
