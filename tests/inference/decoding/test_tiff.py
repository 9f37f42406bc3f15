from __future__ import annotations

import struct

import pytest
from PIL import Image

from inference.decoding.decode import decode
from inference.decoding.tiff import check_directory, read_directory
from inference.errors import NotAnImage, UnsupportedFormat
from tests.support.pictures import encode

RGB = Image.new("RGB", (8, 6))


def shared_fields(count: int, size: int, order: str = "<") -> bytes:
    """A gray TIFF of 8x6 with this number of private fields, which all share the same bytes."""
    start = 8 + 2 + 12 * (9 + count) + 4
    fields = [
        (256, 3, 1, 8), (257, 3, 1, 6), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, start), (277, 3, 1, 1), (278, 3, 1, 6), (279, 4, 1, 48),
        *((50000 + number, 1, size, start + 48) for number in range(count)),
    ]  # fmt: skip
    magic = b"II*\0" if order == "<" else b"MM\0*"
    head = magic + struct.pack(order + "LH", 8, len(fields))
    entries = [
        struct.pack(order + ("HHLHxx" if kind == 3 else "HHLL"), tag, kind, number, value)
        for tag, kind, number, value in fields
    ]
    return head + b"".join(entries) + bytes(4) + bytes(48) + bytes(size)


WELL = {
    "TIFF": encode(RGB, "TIFF"),
    "BigTIFF": encode(RGB, "TIFF", big_tiff=True),
    "compressed": encode(RGB, "TIFF", compression="tiff_lzw"),
    "a field of its own": shared_fields(1, 1000),
    "a field of its own, big-endian": shared_fields(1, 1000, ">"),
}


@pytest.mark.parametrize("data", WELL.values(), ids=WELL)
def test_a_directory_that_claims_what_there_is(data: bytes) -> None:
    check_directory(data, read_directory(data), 100)

    assert decode(data, max_pixels=100).shape == (6, 8, 3)


CLAIMING = {
    "little-endian": shared_fields(1000, 100_000),
    "big-endian": shared_fields(1000, 100_000, ">"),
    "BigTIFF": b"II+\0\x08\0\0\0"
    + struct.pack("<QQ", 16, 1)
    + struct.pack("<HHQQ", 50000, 16, 1 << 60, 0),
}


@pytest.mark.parametrize("data", CLAIMING.values(), ids=CLAIMING)
def test_a_directory_that_claims_more_than_there_is(data: bytes) -> None:
    with pytest.raises(NotAnImage, match="claim more bytes than the file has"):
        check_directory(data, read_directory(data), 100)


@pytest.mark.promise("tiff-shared-bytes")
def test_such_a_file_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(NotAnImage, match="claim more bytes than the file has"):
        decode(CLAIMING["little-endian"], max_pixels=100)


def gray_tiff(order: str, *changes: tuple[int, int], bits: int = 16, sample: int = 1000) -> bytes:
    """A gray TIFF of 8x6 equal samples, with WhiteIsZero and other fields changed or added."""
    pixels = struct.pack(order + ("H" if bits == 16 else "B"), sample) * 48
    fields = {256: 8, 257: 6, 258: bits, 259: 1, 262: 0, 273: 0, 277: 1, 278: 6, 279: len(pixels)}
    fields.update(changes)
    fields[273] = 8 + 2 + 12 * len(fields) + 4
    entries = [
        struct.pack(order + "HHLHxx", tag, 3, 1, value) for tag, value in sorted(fields.items())
    ]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "LH", 8, len(fields))
    return head + b"".join(entries) + bytes(4) + pixels


WHITE_IS_ZERO = {
    "16 bits, little-endian": (gray_tiff("<"), 252),
    "16 bits, big-endian": (gray_tiff(">"), 252),
    "8 bits": (gray_tiff("<", bits=8, sample=30), 225),
    "16 bits, black is zero": (gray_tiff("<", (262, 1)), 3),
    "16 bits, black is zero, big-endian": (gray_tiff(">", (262, 1)), 3),
}


@pytest.mark.parametrize(("data", "value"), WHITE_IS_ZERO.values(), ids=WHITE_IS_ZERO)
def test_white_is_zero_is_inverted(data: bytes, value: int) -> None:
    assert (decode(data, max_pixels=100) == value).all()


UNSUPPORTED = {
    "DNG": gray_tiff("<", (50706, 1)),
    "a thumbnail before a raw image": gray_tiff("<", (254, 1), (330, 8)),
    "sensor data": gray_tiff("<", (262, 32803)),
    "linear raw": gray_tiff(">", (262, 34892)),
    "Canon": b"II*\0\x10\0\0\0CR\2\0\0\0\0\0" + bytes(6),
    "floating-point samples": gray_tiff("<", (339, 3)),
    "complex samples": gray_tiff("<", (339, 6)),
    "WebP": gray_tiff("<", (259, 50001)),
    "JPEG 2000": gray_tiff("<", (259, 34712)),
}


@pytest.mark.parametrize("data", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_raw_files_and_rare_kinds_are_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat):
        decode(data, max_pixels=100)
