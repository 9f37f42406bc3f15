"""Inputs of a call: files, images, arrays, iterables, and wrong types."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from matchvec_client import Client, InputTypeError, PillowMissing, UsageError, images
from matchvec_client.images import CannotDecode, encode_array, encode_image, open_upright
from matchvec_client.sources import Skipped, expand
from tests.client.stub_api import StubApi
from tests.support.pictures import plain

RED = (255, 0, 0)
IMAGE = Image.new("RGB", (12, 8), RED)
PNG = plain(width=12, height=8)


def rgb(content: bytes) -> Any:
    return open_upright(content).getpixel((0, 0))


def generator() -> Iterator[Any]:
    yield PNG
    yield IMAGE


INPUTS: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "bytes": (lambda _: PNG, ["bytes[0]"]),
    "bytearray": (lambda _: bytearray(PNG), ["bytes[0]"]),
    "memoryview": (lambda _: memoryview(PNG), ["bytes[0]"]),
    "BytesIO": (lambda _: io.BytesIO(PNG), ["file[0]"]),
    "open file": (lambda path: path.open("rb"), ["{}"]),
    "PIL image": (lambda _: IMAGE.copy(), ["image[0]"]),
    "opened PIL image": (lambda path: Image.open(path), ["image[0]"]),
    "gray array": (lambda _: np.zeros((8, 12), np.uint8), ["array[0]"]),
    "list": (lambda path: [path, str(path), IMAGE, PNG], ["{}", "image[2]", "bytes[3]"]),
    "tuple": (lambda path: (path,), ["{}"]),
    "generator": (lambda _: generator(), ["bytes[0]", "image[1]"]),
    "the same picture twice": (lambda _: [PNG, PNG], ["bytes[0]", "bytes[1]"]),
}


@pytest.mark.parametrize(("make", "names"), INPUTS.values(), ids=INPUTS)
def test_inputs(make: Callable[[Path], Any], names: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    given = make(path)
    found = expand(given)
    assert [source.name for source in found] == [name.replace("{}", str(path)) for name in names]
    assert all(source.path or source.size for source in found)
    if hasattr(given, "close"):
        given.close()


WRONG: dict[str, Any] = {
    "number": 7,
    "None": None,
    "dict": {"image": PNG},
    "number in a list": [PNG, 7],
    "nested list": [[PNG]],
    "text file": io.StringIO("text"),
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_wrong_types(given: Any) -> None:
    with pytest.raises(TypeError) as caught:
        expand(given)
    assert isinstance(caught.value, InputTypeError)
    assert caught.value.code == "bad_type"


@pytest.mark.parametrize(
    ("order", "pixel"),
    [("RGB", (255, 0, 0)), ("BGR", (0, 0, 255))],
)
@pytest.mark.parametrize("channels", [3, 4])
def test_channel_order(order: Any, pixel: tuple[int, int, int], channels: int) -> None:
    array = np.full((8, 12, channels), 255, np.uint8)
    array[..., 1:3] = 0
    assert rgb(encode_array(array, order)) == pixel


BAD_ARRAYS: dict[str, tuple[Any, Any]] = {
    "no order": (np.zeros((8, 12, 3), np.uint8), None),
    "unknown order": (np.zeros((8, 12, 3), np.uint8), "GBR"),
    "floats": (np.zeros((8, 12, 3)), "RGB"),
    "a batch": (np.zeros((2, 8, 12, 3), np.uint8), "RGB"),
    "channels first": (np.zeros((3, 8, 12), np.uint8), "RGB"),
    "two channels": (np.zeros((8, 12, 2), np.uint8), "RGB"),
    "empty": (np.zeros((0, 12), np.uint8), None),
}


@pytest.mark.parametrize(("array", "order"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_arrays(array: Any, order: Any) -> None:
    with pytest.raises(UsageError):
        expand([array], channel_order=order)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "F", "I;16"])
def test_modes_of_images(mode: str) -> None:
    assert open_upright(encode_image(Image.new(mode, (12, 8)))).size == (12, 8)


def test_a_large_image_is_sent_as_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LOSSLESS_BYTES", 10)
    content = encode_image(Image.new("RGBA", (12, 8)))
    assert content.startswith(b"\xff\xd8")
    assert rgb(content) == (255, 255, 255), "transparency is over white"


def test_the_orientation_of_an_image_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    IMAGE.save(buffer, "JPEG", exif=exif)
    assert open_upright(encode_image(Image.open(buffer))).size == (8, 12)


@pytest.mark.parametrize("content", [b"", b"text", PNG[:40]], ids=["empty", "text", "truncated"])
def test_what_cannot_be_decoded(content: bytes) -> None:
    with pytest.raises(CannotDecode):
        open_upright(content)


def test_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 10)
    with pytest.raises(CannotDecode):
        open_upright(PNG)


def test_arrays_need_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "HAS_PILLOW", False)
    with pytest.raises(PillowMissing):
        expand(np.zeros((8, 12), np.uint8))


def test_a_mixed_call(api: StubApi, photos: Path) -> None:
    frame = np.zeros((8, 14, 3), np.uint8)
    with Client(api.url) as client, (photos / "05.png").open("rb") as file:
        pictures = list(
            client.predict([photos / "00.png", file, IMAGE, frame], channel_order="BGR")
        )
    assert [picture.width for picture in pictures] == [10, 15, 12, 14]
    assert [picture.error for picture in pictures] == [None] * 4


def test_skipped_files(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jfif", "c.HEIC", "d.avif", "e.txt", "f", ".g.jpg", ".h/i.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"1")
    skipped = Skipped()
    found = expand([tmp_path, tmp_path / "a.jpg"], skipped=skipped)
    assert [Path(source.name).name for source in found] == ["a.jpg", "b.jfif", "c.HEIC", "d.avif"]
    assert {reason: len(paths) for reason, paths in skipped.by_reason.items()} == {
        "not a picture (.txt)": 1,
        "not a picture (no suffix)": 1,
        "hidden file": 1,
        "hidden folder": 1,
        "named twice": 1,
    }
    assert skipped.count == 5
