"""Bounds on what a small file makes a decoder do."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest
from PIL import Image

from inference.decoding.decode import decode
from inference.decoding.gif import MAX_BLOCKS
from inference.decoding.jpeg import MAX_PADDING, MAX_SEGMENTS, count_scans
from inference.decoding.png import MAX_CHUNKS, MAX_COMPRESSED_CHUNKS
from inference.errors import ImageTooLarge, NotAnImage
from tests.support.hostile import (
    FLOODS,
    chunk,
    gif_with,
    jpeg_with,
    png,
    png_size,
    rle_bmp,
    segment,
    tiff_tile,
)
from tests.support.pictures import encode

LIMIT = 50_000_000


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


SAYS = {
    "JPEG: fill": "too much padding",
    "JPEG: junk": "too much padding",
    "JPEG: markers": "too much padding",
    "JPEG: 50 MP": "too much time to decode",
    "JPEG": "more than 1000 segments",
    "PNG: colour": "more than 50 texts and color profiles",
    "PNG: texts": "more than 50 texts and color profiles",
    "PNG": "more than 20000 chunks",
    "APNG": "more than 20000 chunks",
    "GIF": "more than 20000 blocks",
    "TIFF": "tiles of over 50000000 pixels",
}


@pytest.mark.promise("counted-before-read")
@pytest.mark.parametrize(("name", "make"), FLOODS.items(), ids=FLOODS)
def test_a_flood_is_refused(
    name: str, make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make()
    says = next(message for start, message in SAYS.items() if name.startswith(start))

    def load(_self: Image.Image) -> None:
        raise AssertionError("the pixels were decoded")

    monkeypatch.setattr(Image.Image, "load", load)
    with pytest.raises((NotAnImage, ImageTooLarge), match=says):
        decode(data, max_pixels=LIMIT)


UP_TO_THE_LIMIT = {
    "JPEG: fill bytes": jpeg_with(b"\xff" * MAX_PADDING),
    "JPEG: segments": jpeg_with(segment(0xFE, b"") * (MAX_SEGMENTS - 20)),
    "JPEG: a large colour profile": jpeg_with(
        b"".join(segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 20]) + bytes(65000)) for n in range(20))
    ),
    "PNG: chunks": png(before=chunk(b"tIME") * (MAX_CHUNKS - 10)),
    "PNG: texts": png(before=chunk(b"zTXt", b"a\0\0") * MAX_COMPRESSED_CHUNKS),
    "GIF: blocks": gif_with(b"!\xfe" + b"\1a" * (MAX_BLOCKS - 10) + b"\0"),
    "BMP: codes": rle_bmp(40, 20, (b"\1\0" * 40 + b"\0\0") * 20 + b"\0\1"),
}


@pytest.mark.parametrize("data", UP_TO_THE_LIMIT.values(), ids=UP_TO_THE_LIMIT)
def test_what_is_below_the_limit_is_decoded(data: bytes) -> None:
    assert decode(data, max_pixels=LIMIT).shape in {(20, 40, 3), (6, 8, 3)}


FALSE_LENGTHS = {
    "a chunk of 2 GB": png(before=b"\x80\0\0\0IDAT"),
    "the last chunk of another one": png(before=b"\0\0\0\x20tEXt"),
    "a chunk that ends after the file": png(before=b"\0\0\1\0tEXt"),
}


@pytest.mark.parametrize("data", FALSE_LENGTHS.values(), ids=FALSE_LENGTHS)
def test_opencv_gets_no_chunk_that_is_longer_than_the_file(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would allocate the length."""

    def allocate(*_: object) -> None:
        raise AssertionError("OpenCV decodes the file")

    monkeypatch.setattr("cv2.imdecode", allocate)
    with pytest.raises(NotAnImage):
        decode(data, max_pixels=LIMIT)


BEFORE_THE_FRAME = {
    **{f"disposal {n}": b"!\xf9\4" + bytes([n << 2]) + bytes(4) for n in range(4)},
    "an empty control block": b"!\xf9\0\1,\0!\xf9\4\x08" + bytes(4),
    "an empty comment": b"!\xfe\0!\xf9\4\x08" + bytes(4),
    "an empty number of loops": b"!\xff\x0bNETSCAPE2.0\0\1,\0!\xf9\4\x08" + bytes(4),
    "stray bytes": b"\0\1\2!\xf9\4\x08" + bytes(4),
}


@pytest.mark.parametrize("control", BEFORE_THE_FRAME.values(), ids=BEFORE_THE_FRAME)
def test_a_gif_whose_frame_leaves_the_canvas_is_refused_before_it_is_filled(control: bytes) -> None:
    """The fill took 4 GB."""
    frame = b",\xff\xff\xff\xff\xff\xff\xff\xff\0\2\2D\1\0;"
    data = b"GIF89a\x10\0\x0c\0\0\0\0" + control + frame

    before = peak_megabytes()
    with pytest.raises(ImageTooLarge):
        decode(data, max_pixels=LIMIT)
    assert peak_megabytes() - before < 500


def test_a_side_has_a_limit_of_its_own() -> None:
    with pytest.raises(ImageTooLarge, match="the limit of a side is 1000000"):
        decode(png_size(1, 1_000_001), max_pixels=LIMIT)


def test_a_tile_may_be_larger_than_the_picture() -> None:
    encoded = encode(Image.new("L", (8, 6)), "TIFF", tiffinfo={}, compression="tiff_adobe_deflate")

    assert decode(encoded, max_pixels=48).shape == (6, 8, 3)
    with pytest.raises(ImageTooLarge, match="tiles of over 1000 pixels"):
        decode(tiff_tile(64, b""), max_pixels=1000)


LONG = {
    "JPEG": (1, 60_000),
    "PNG": (1, 1_000_000),
    "WEBP": (1, 16_383),
    "GIF": (1, 65_535),
    "BMP": (1, 60_000),
    "TIFF": (1, 60_000),
}


@pytest.mark.parametrize(("file_format", "size"), LONG.items(), ids=LONG)
def test_a_row_and_a_column_are_decoded(file_format: str, size: tuple[int, int]) -> None:
    short, long = size
    column = encode(Image.new("RGB", (short, long)), file_format)
    row = encode(Image.new("RGB", (long, short)), file_format)

    assert decode(column, max_pixels=LIMIT).shape == (long, short, 3)
    assert decode(row, max_pixels=LIMIT).shape == (short, long, 3)


@pytest.mark.parametrize("file_format", LONG)
def test_24_megapixels_are_decoded(file_format: str) -> None:
    options = {"method": 0} if file_format == "WEBP" else {}
    mode = "P" if file_format == "GIF" else "RGB"
    data = encode(Image.new(mode, (6000, 4000)), file_format, **options)

    assert decode(data, max_pixels=LIMIT).shape == (4000, 6000, 3)


def test_120_megapixels_are_refused_by_the_header() -> None:
    with pytest.raises(ImageTooLarge, match="12000x10000 pixels, the limit is 50000000"):
        decode(png_size(12_000, 10_000), max_pixels=LIMIT)


def frame(marker: int, components: int) -> bytes:
    """A frame's segment: 8 bits, 1x1 pixels."""
    return segment(
        marker, b"\x08\x00\x01\x00\x01" + bytes([components]) + b"\x01\x11\x00" * components
    )


def scan(components: int) -> bytes:
    return segment(0xDA, bytes([components]) + b"\x01\x00" * components + b"\x00\x3f\x00")


SCANS = {
    "baseline, all in one": (frame(0xC0, 3) + scan(3), 1),
    "extended, all in one": (frame(0xC1, 1) + scan(1), 1),
    "baseline, one by one": (frame(0xC0, 3) + scan(1) + scan(1) + scan(1), 3),
    "progressive": (frame(0xC2, 3) + scan(3) + scan(1), 2),
    "progressive, then baseline": (frame(0xC2, 3) + scan(3) + frame(0xC0, 3), 1),
    "a scan without a frame": (scan(3) + scan(3), 2),
    "cut off within the scan's segment": (frame(0xC0, 3) + b"\xff\xda\x00", 1),
    "bytes that look like a scan's start, in a comment": (
        segment(0xFE, b"\xff\xda\xff\xda") + frame(0xC0, 1) + scan(1),
        1,
    ),
}


@pytest.mark.parametrize(("segments", "count"), SCANS.values(), ids=SCANS)
def test_scans_are_counted_where_a_decoder_would_work_through_them(
    segments: bytes, count: int
) -> None:
    assert count_scans(b"\xff\xd8" + segments + b"\x00\xff\xd9") == count
