from __future__ import annotations

import struct

import pytest
from PIL import Image

from inference.decoding.decode import decode
from inference.decoding.tiff import check_directory
from inference.errors import NotAnImage
from tests.support.pictures import encode

RGB = Image.new("RGB", (8, 6))


def shared_fields(count: int, size: int, order: str = "<") -> bytes:
    """A gray TIFF of 8x6 with so many private fields, all of which share the same bytes."""
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
    check_directory(data)

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
        check_directory(data)


def test_such_a_file_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(NotAnImage, match="claim more bytes than the file has"):
        decode(CLAIMING["little-endian"], max_pixels=100)
