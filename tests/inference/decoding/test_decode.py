from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.decoding.decode import decode, decode_reduced
from inference.decoding.resolution import SMALLEST, Resolution
from inference.errors import ImageTooLarge, NotAnImage, PictureError, UnsupportedFormat
from inference.types import ImageRGB
from tests.support.pictures import STORED, corners, encode

LIMIT = 50_000_000
RED, BLACK, WHITE = (255, 0, 0), (0, 0, 0), (255, 255, 255)


def pixel(image_rgb: ImageRGB, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in image_rgb[y, x])


FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {"quality": 95, "subsampling": 0}),
    "progressive JPEG": ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {"lossless": True}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "TIFF, compressed": ("TIFF", {"compression": "tiff_lzw"}),
    "GIF": ("GIF", {}),
}


@pytest.mark.parametrize(("file_format", "options"), FORMATS.values(), ids=FORMATS)
def test_format(file_format: str, options: dict[str, Any]) -> None:
    image_rgb = decode(encode(corners(), file_format, **options), max_pixels=LIMIT)

    assert image_rgb.shape == (20, 40, 3)
    assert image_rgb.dtype == np.uint8
    assert image_rgb.flags.c_contiguous
    assert np.abs(np.subtract(pixel(image_rgb, 5, 5), RED)).max() <= 2
    assert np.abs(np.subtract(pixel(image_rgb, 30, 15), BLACK)).max() <= 2


def gray_alpha() -> Image.Image:
    return Image.merge("LA", (Image.new("L", (4, 4), 0), Image.new("L", (4, 4), 128)))


def palette_with_transparency() -> bytes:
    image = corners().convert("P", palette=Image.Palette.ADAPTIVE)
    return encode(image, transparency=image.getpixel((30, 15)))


MODES: dict[str, tuple[Callable[[], bytes], tuple[int, ...]]] = {
    "gray": (lambda: encode(Image.new("L", (4, 4), 77)), (77, 77, 77)),
    "1 bit": (lambda: encode(Image.new("1", (4, 4), 1)), WHITE),
    "palette": (lambda: encode(Image.new("RGB", (4, 4), RED).convert("P")), RED),
    "16 bits, gray": (
        lambda: encode(Image.fromarray(np.full((4, 4), 0x8001, dtype=np.uint16))),
        (128, 128, 128),
    ),
    "16 bits, gray, TIFF": (
        lambda: encode(Image.fromarray(np.full((4, 4), 0xFFFF, dtype=np.uint16)), "TIFF"),
        WHITE,
    ),
    "transparent": (lambda: encode(Image.new("RGBA", (4, 4), (9, 9, 9, 0))), WHITE),
    "half transparent": (
        lambda: encode(Image.new("RGBA", (4, 4), (255, 0, 0, 127))),
        (255, 128, 128),
    ),
    "gray, half transparent": (lambda: encode(gray_alpha()), (127, 127, 127)),
    "transparent WebP": (
        lambda: encode(Image.new("RGBA", (4, 4), (9, 9, 9, 0)), "WEBP", lossless=True),
        WHITE,
    ),
    "CMYK": (lambda: encode(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"), RED),
}


@pytest.mark.parametrize(("make", "expected"), MODES.values(), ids=MODES)
def test_every_kind_of_pixel_becomes_rgb(
    make: Callable[[], bytes], expected: tuple[int, ...]
) -> None:
    image_rgb = decode(make(), max_pixels=LIMIT)

    assert image_rgb.shape == (4, 4, 3)
    assert np.abs(np.subtract(pixel(image_rgb, 1, 1), expected)).max() <= 1


def test_a_transparent_palette_colour_is_white() -> None:
    image_rgb = decode(palette_with_transparency(), max_pixels=LIMIT)

    assert pixel(image_rgb, 5, 5) == RED
    assert pixel(image_rgb, 30, 15) == WHITE


def test_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (4, 4), RED), Image.new("RGB", (4, 4), WHITE)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert pixel(decode(data, max_pixels=LIMIT), 0, 0) == RED


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(("orientation", "method"), STORED.items())
def test_pictures_are_turned_upright(
    orientation: int, method: Image.Transpose | None, file_format: str
) -> None:
    stored = corners() if method is None else corners().transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image_rgb = decode(encode(stored, file_format, exif=exif), max_pixels=LIMIT)

    assert image_rgb.shape == (20, 40, 3)
    assert pixel(image_rgb, 5, 5)[0] > 200
    assert pixel(image_rgb, 35, 5)[0] < 50
    assert pixel(image_rgb, 5, 15)[0] < 50


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    assert pixel(decode(encode(corners(), exif=exif), max_pixels=LIMIT), 5, 5) == RED


def test_damaged_exif_data_changes_nothing() -> None:
    data = encode(corners(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")

    assert decode(data, max_pixels=LIMIT).shape == (20, 40, 3)


def cut(data: bytes, share: float = 0.5) -> bytes:
    return data[: int(len(data) * share)]


def noise(file_format: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    return encode(Image.fromarray(pixels), file_format)


REFUSED: dict[str, tuple[bytes, type[PictureError]]] = {
    "empty": (b"", NotAnImage),
    "text": (b"hello, I am a picture", NotAnImage),
    "HTML": (b"<!doctype html><title>404</title>", NotAnImage),
    "JPEG's first bytes": (b"\xff\xd8\xff\xe0", NotAnImage),
    "JPEG cut off": (cut(noise("JPEG")), NotAnImage),
    "PNG cut off": (cut(noise("PNG")), NotAnImage),
    "WebP cut off": (cut(noise("WEBP")), NotAnImage),
    "BMP cut off": (cut(noise("BMP")), NotAnImage),
    "TIFF cut off": (cut(noise("TIFF")), NotAnImage),
    "GIF cut off": (cut(noise("GIF")), NotAnImage),
    "HEIC without boxes": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", NotAnImage),
    "AVIF without boxes": (b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1", NotAnImage),
    "JPEG 2000": (b"\x00\x00\x00\x0cjP  \r\n\x87\n", UnsupportedFormat),
    "ICO": (encode(corners(), "ICO"), UnsupportedFormat),
    "PDF": (b"%PDF-1.7\n", UnsupportedFormat),
    "PPM": (encode(corners(), "PPM"), UnsupportedFormat),
    "text that begins as a PPM does": (b"P6: a note", NotAnImage),
    "EPS, which Pillow hands to Ghostscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", NotAnImage),
    "TIFF of floating-point numbers": (
        encode(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF"),
        UnsupportedFormat,
    ),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, error: type[PictureError]) -> None:
    with pytest.raises(error):
        decode(data, max_pixels=LIMIT)


def test_a_picture_of_several_strips_is_whole() -> None:
    pixels = np.arange(1100 * 1000, dtype=np.uint32).reshape(1100, 1000) % 251
    image = Image.fromarray(pixels.astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image_rgb = decode(encode(image, exif=exif), max_pixels=LIMIT)

    assert image_rgb.shape == (1000, 1100, 3)
    assert (image_rgb[:, :, 0] == np.rot90(pixels, -1)).all()
    assert image_rgb.flags.c_contiguous


SIZES = {
    "at the limit": (10, 10, 100),
    "one pixel": (1, 1, 1),
    "a row": (2000, 1, 2000),
    "a column": (1, 2000, 2000),
}


@pytest.mark.parametrize(("width", "height", "limit"), SIZES.values(), ids=SIZES)
def test_sizes_up_to_the_limit_are_decoded(width: int, height: int, limit: int) -> None:
    data = encode(Image.new("RGB", (width, height)))

    assert decode(data, max_pixels=limit).shape == (height, width, 3)


@pytest.mark.promise("max-pixels")
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_picture_over_the_limit_is_refused_before_it_is_decoded(
    file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(Image.new("RGB", (11, 10)), file_format)

    def load(_self: Image.Image) -> None:
        raise AssertionError("the pixels were decoded")

    monkeypatch.setattr(Image.Image, "load", load)
    with pytest.raises(ImageTooLarge, match="11x10 pixels, the limit is 100"):
        decode(data, max_pixels=100)


@pytest.mark.promise("known-formats-only")
def test_pillow_is_never_asked_for_another_format() -> None:
    with Image.open(io.BytesIO(encode(corners(), "SGI"))) as image:
        assert image.format == "SGI"
    with pytest.raises(NotAnImage):
        decode(encode(corners(), "SGI"), max_pixels=LIMIT)


REDUCED = {
    "a JPEG, to a quarter": ("JPEG", 1, Resolution(16, 10, every_side=True), 4, (17, 11)),
    "a JPEG that is all needed": ("JPEG", 1, Resolution(66, 42, every_side=True), 1, (66, 42)),
    "a JPEG that lies on its side": ("JPEG", 6, Resolution(10, 16, every_side=True), 4, (11, 17)),
    "a PNG": ("PNG", 1, SMALLEST, 1, (66, 42)),
}


@pytest.mark.parametrize(
    ("file_format", "orientation", "resolution", "reduction", "decoded_wh"),
    REDUCED.values(),
    ids=REDUCED,
)
def test_no_more_is_decoded_than_is_needed(
    file_format: str,
    orientation: int,
    resolution: Resolution,
    reduction: int,
    decoded_wh: tuple[int, int],
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(corners(66, 42), file_format, exif=exif)
    picture = decode_reduced(data, max_pixels=66 * 42, resolution=resolution)

    assert picture.reduction == reduction
    assert picture.image_rgb.shape == (decoded_wh[1], decoded_wh[0], 3)
    assert picture.size_wh == ((42, 66) if orientation == 6 else (66, 42))


def test_a_reduced_jpeg_is_checked_to_its_end() -> None:
    data = noise("JPEG")

    with pytest.raises(NotAnImage):
        decode_reduced(cut(data, 0.9), max_pixels=10**6, resolution=SMALLEST)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 3), (3, 1)])
def test_a_picture_one_pixel_wide_is_turned_upright(
    width: int, height: int, orientation: int
) -> None:
    upright = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    method = STORED[orientation]
    image = Image.fromarray(upright)
    exif = Image.Exif()
    exif[274] = orientation
    data = encode(image if method is None else image.transpose(method), "PNG", exif=exif)

    assert np.array_equal(decode(data, max_pixels=LIMIT), upright)


NARROW = {
    "one pixel": (1, (1, 250)),
    "less than a block": (5, (1, 250)),
    "a whole number of blocks": (16, (2, 250)),
    "a few pixels over": (20, (3, 250)),
}


@pytest.mark.parametrize(("width", "decoded_wh"), NARROW.values(), ids=NARROW)
def test_a_narrow_picture_is_reduced_too(width: int, decoded_wh: tuple[int, int]) -> None:
    data = encode(Image.new("RGB", (width, 2000)), "JPEG")
    resolution = Resolution(100, 100, every_side=False)

    picture = decode_reduced(data, max_pixels=LIMIT, resolution=resolution)

    assert picture.reduction == 8
    assert picture.image_rgb.shape == (decoded_wh[1], decoded_wh[0], 3)
    assert picture.size_wh == (width, 2000)
