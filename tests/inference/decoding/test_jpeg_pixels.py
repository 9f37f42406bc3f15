"""JPEGs that cameras and programs write not quite as the standard says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from inference.decoding.decode import decode, decode_reduced
from inference.decoding.resolution import SMALLEST
from inference.errors import NotAnImage, UnsupportedFormat
from tests.support.pictures import encode

LIMIT = 50_000_000
WIDTH, HEIGHT = 123, 77
PIXELS = np.random.default_rng(7).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
PLAIN = encode(Image.fromarray(PIXELS), "JPEG", quality=90)
PROGRESSIVE = encode(Image.fromarray(PIXELS), "JPEG", quality=90, progressive=True)
RESTARTS = encode(Image.fromarray(PIXELS), "JPEG", quality=90, restart_marker_blocks=3)

COMPLETE = {
    "no end marker": (PLAIN[:-2], PLAIN),
    "half an end marker": (PLAIN[:-1], PLAIN),
    "zeros instead of the end marker": (PLAIN[:-2] + bytes(64), PLAIN),
    "fill bytes instead of the end marker": (PLAIN[:-2] + b"\xff" * 64, PLAIN),
    "padding before the end marker": (PLAIN[:-2] + bytes(7) + PLAIN[-2:], PLAIN),
    "bytes after the end marker": (PLAIN + b"junk", PLAIN),
    "progressive, no end marker": (PROGRESSIVE[:-2], PROGRESSIVE),
    "progressive, padding before the end marker": (
        PROGRESSIVE[:-2] + bytes(7) + PROGRESSIVE[-2:],
        PROGRESSIVE,
    ),
    "restart markers, no end marker": (RESTARTS[:-2], RESTARTS),
    "restart markers, padding before the end marker": (
        RESTARTS[:-2] + bytes(7) + RESTARTS[-2:],
        RESTARTS,
    ),
}


@pytest.mark.parametrize(("data", "whole"), COMPLETE.values(), ids=COMPLETE)
def test_a_jpeg_whose_data_is_complete_has_all_its_pixels(data: bytes, whole: bytes) -> None:
    assert np.array_equal(decode(data, max_pixels=LIMIT), decode(whole, max_pixels=LIMIT))
    assert decode_reduced(data, max_pixels=LIMIT, resolution=SMALLEST).size_wh == (WIDTH, HEIGHT)


TRUNCATED = {
    "a few bytes": PLAIN[:-20],
    "half": PLAIN[: len(PLAIN) // 2],
    "within the header": PLAIN[:300],
    "progressive": PROGRESSIVE[: len(PROGRESSIVE) // 2],
    "with restart markers": RESTARTS[: len(RESTARTS) // 2],
}


@pytest.mark.parametrize("data", TRUNCATED.values(), ids=TRUNCATED)
def test_a_truncated_jpeg_is_refused_at_every_resolution(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        decode(data, max_pixels=LIMIT)
    with pytest.raises(NotAnImage):
        decode_reduced(data, max_pixels=LIMIT, resolution=SMALLEST)


def test_a_flaw_that_pillow_tolerates_is_decoded_at_full_size() -> None:
    data = bytearray(RESTARTS)
    data[data.index(b"\xff\xd3") + 1] = 0xD5  # The wrong number of a restart marker.

    decoded = decode_reduced(bytes(data), max_pixels=LIMIT, resolution=SMALLEST)

    assert decoded.reduction == 1
    assert decoded.image_rgb.shape == (HEIGHT, WIDTH, 3)


def test_cmyk_is_decoded_by_pillow() -> None:
    cmyk = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")

    image_rgb = decode(cmyk, max_pixels=LIMIT)

    assert np.abs(image_rgb[5, 5].astype(int) - (254, 0, 0)).max() <= 3


SAMPLING_FACTORS = {"4:4:1": 0x14, "3x1": 0x31, "4x2": 0x42}


@pytest.mark.parametrize("factors", SAMPLING_FACTORS.values(), ids=SAMPLING_FACTORS)
def test_unusual_subsampling_is_decoded_by_pillow(factors: int) -> None:
    data = bytearray(encode(Image.new("RGB", (16, 16), (9, 9, 9)), "JPEG", subsampling=0))
    data[data.index(b"\xff\xc0") + 11] = factors

    assert decode(bytes(data), max_pixels=LIMIT).shape == (16, 16, 3)


def test_a_frame_that_only_libjpeg_sees_does_not_pass_the_limit() -> None:
    """Pillow takes the last frame's size, libjpeg refuses a second frame."""
    frame = PLAIN.index(b"\xff\xc0")
    length = int.from_bytes(PLAIN[frame + 2 : frame + 4]) + 2
    large = bytearray(PLAIN[frame : frame + length])
    large[5:9] = b"\xff\xdc\xff\xdc"
    data = PLAIN[:frame] + bytes(large) + PLAIN[frame:]

    with pytest.raises(NotAnImage):
        decode(data, max_pixels=WIDTH * HEIGHT)


MODES = {
    "lossless": 0xC3,
    "hierarchical": 0xC5,
    "arithmetic": 0xC9,
    "progressive, arithmetic": 0xCA,
    "lossless, arithmetic": 0xCB,
    "hierarchical, arithmetic": 0xCF,
}


@pytest.mark.promise("cheap-bytes-expensive-work")
@pytest.mark.parametrize("marker", MODES.values(), ids=MODES)
@pytest.mark.parametrize("data", [PLAIN, PROGRESSIVE], ids=["SOF0", "SOF2"])
def test_rare_coding_modes_are_refused_from_the_header(
    data: bytes, marker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode_jpeg(*_: object, **__: object) -> None:
        raise AssertionError("the pixels were decoded")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", decode_jpeg)
    monkeypatch.setattr(Image.Image, "load", decode_jpeg)
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    changed = data[: frame + 1] + bytes([marker]) + data[frame + 2 :]
    with pytest.raises(UnsupportedFormat):
        decode(changed, max_pixels=LIMIT)


def test_twelve_bits_are_unsupported() -> None:
    frame = PLAIN.index(b"\xff\xc0")
    changed = PLAIN[: frame + 1] + b"\xc1" + PLAIN[frame + 2 : frame + 4] + b"\x0c"

    with pytest.raises(UnsupportedFormat):
        decode(changed + PLAIN[frame + 5 :], max_pixels=LIMIT)


def test_arithmetic_coding_of_50_megapixels_in_337_bytes(shared: Path) -> None:
    data = (shared / "reports" / "security" / "arith_sof9_50mp.jpg").read_bytes()

    with pytest.raises(UnsupportedFormat):
        decode(data, max_pixels=LIMIT)
