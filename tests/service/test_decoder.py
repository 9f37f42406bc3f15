"""A decoder's death, delay or greed costs its own picture and nothing else."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded
from gateway.parts import Upload
from inference.errors import ImageTooLarge, NotAnImage
from inference.image import decode
from inference.picture import NOTHING
from inference.pixels import Allocate
from inference.types import ImageRGB
from service.decoder import Decoder, InProcess, shared_decoder
from service.pictures import PictureService
from service.predictions import shape_of
from tests.support.network import FakeNetwork
from tests.support.pictures import corners, encode

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are used on Linux")

CRASH, SPIN, SLEEP, GREED, CHATTER = b"crash", b"spin", b"sleep", b"greed", b"chatter"
BMP = encode(Image.new("RGB", (8, 6)), "BMP")


def vulnerable(data: bytes, *, max_pixels: int, allocate: Allocate) -> ImageRGB:
    """Decodes, unless the file asks for something worse."""
    if data == CRASH:
        ctypes.string_at(0)
    while data == SPIN:
        pass
    if data == SLEEP:
        time.sleep(600)
    if data == GREED:
        allocate((30_000, 30_000, 3))
    if data == CHATTER:
        os.write(2, b"TIFFReadDirectory: Warning, a line of the client's own.\n")
    return decode(BMP if data == CHATTER else data, max_pixels=max_pixels, allocate=allocate)


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(vulnerable, cpu_seconds=0, memory_bytes=200 << 20)
    yield decoder
    decoder.close()


def ask(decoder: Decoder, data: bytes, seconds: float = 60) -> tuple[int, ...]:
    deadline = Deadline.after(seconds)
    return decoder(data, max_pixels=1_000_000, need=NOTHING, deadline=deadline).image_rgb.shape


def test_the_pixels_are_those_of_decode(decoder: Decoder) -> None:
    def pixels(ask: Decoder | InProcess, data: bytes) -> ImageRGB:
        deadline = Deadline.after(60)
        return ask(data, max_pixels=1000, need=NOTHING, deadline=deadline).image_rgb

    data = encode(corners(), "WEBP")
    first = pixels(decoder, data)
    second = pixels(decoder, BMP)

    assert np.array_equal(first, decode(data, max_pixels=1000))
    assert np.array_equal(second, decode(BMP, max_pixels=1000))
    assert np.array_equal(first, pixels(InProcess(), data))
    assert first.flags.c_contiguous
    assert first.dtype == np.uint8


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_formats_that_are_decoded_in_this_process(
    file_format: str, monkeypatch: pytest.MonkeyPatch, decoder: Decoder
) -> None:
    def take(_self: Decoder, _deadline: Deadline) -> None:
        raise AssertionError("a worker was asked")

    monkeypatch.setattr(Decoder, "_take", take)

    assert ask(decoder, encode(corners(), file_format))[2] == 3
    with pytest.raises(AssertionError, match="a worker was asked"):
        ask(decoder, BMP)


def test_what_decode_refuses_is_refused_in_its_words(decoder: Decoder) -> None:
    with pytest.raises(ImageTooLarge, match="8x6 pixels, the limit is 10: scale it down"):
        decoder(BMP, max_pixels=10, need=NOTHING, deadline=Deadline.after(60))
    with pytest.raises(NotAnImage, match="The file is empty"):
        ask(decoder, b"")


FATAL = {"a crash (SIGSEGV)": CRASH, "an endless loop": SPIN}


@pytest.mark.parametrize("data", FATAL.values(), ids=FATAL)
def test_a_picture_that_kills_its_decoder_fails_alone(
    data: bytes, decoder: Decoder, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(decoder, BMP) == (6, 8, 3)
    with pytest.raises(NotAnImage, match="decoder failed or took too long"):
        ask(decoder, data)

    assert ask(decoder, BMP) == (6, 8, 3)
    assert f"died of a picture of {len(data)} bytes" in caplog.text


def test_a_picture_that_takes_too_much_memory_fails_alone(decoder: Decoder) -> None:
    with pytest.raises(ImageTooLarge, match="more memory than there is"):
        ask(decoder, GREED)

    assert ask(decoder, BMP) == (6, 8, 3)


def test_the_deadline_holds_while_a_picture_is_decoded(decoder: Decoder) -> None:
    with pytest.raises(DeadlineExceeded):
        ask(decoder, SLEEP, seconds=0.05)

    assert ask(decoder, BMP) == (6, 8, 3)


def test_a_decoder_that_died_idle_costs_no_picture(decoder: Decoder) -> None:
    assert ask(decoder, BMP) == (6, 8, 3)
    (pid,) = Path(f"/proc/{decoder.pid}/task/{decoder.pid}/children").read_text().split()
    os.kill(int(pid), signal.SIGKILL)
    while Path("/proc", pid).exists():
        time.sleep(0.001)

    assert ask(decoder, BMP) == (6, 8, 3)


def test_where_there_is_no_shared_memory_pictures_are_decoded_in_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(name: str) -> int:
        raise PermissionError(f"no memfd_create for {name}")

    monkeypatch.setattr(os, "memfd_create", refused)
    decoder = shared_decoder.__wrapped__()

    assert isinstance(decoder, InProcess)
    assert "decoded in this process" in caplog.text


def test_decoders_write_to_no_log(decoder: Decoder, capfd: pytest.CaptureFixture[str]) -> None:
    assert ask(decoder, CHATTER) == (6, 8, 3)
    assert capfd.readouterr() == ("", "")


def test_the_neighbours_of_a_picture_that_kills_its_decoder_are_answered(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pictures.shared_decoder", lambda: decoder)
    service = PictureService(FakeNetwork({}).fetcher(), 1_000_000, 1)
    parts = [Upload(BMP, "a"), Upload(CRASH, "b"), Upload(BMP, "c")]
    results = service.answer(parts, shape_of, Deadline.after(60))

    assert [result.predictions for result in results] == [[6, 8, 3], [], [6, 8, 3]]
    assert [result.error.code if result.error else None for result in results] == [
        None,
        "not_an_image",
        None,
    ]


def side_by_side(call: Callable[[], object], count: int) -> None:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_pictures_side_by_side_and_crashes_leave_nothing_behind(decoder: Decoder) -> None:
    def some(count: int) -> None:
        for number in range(count):
            if number % 10 == 5:
                with pytest.raises(NotAnImage):
                    ask(decoder, CRASH)
            assert ask(decoder, BMP) == (6, 8, 3)

    side_by_side(lambda: some(10), 2)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    side_by_side(lambda: some(50), 2)

    # An idle worker has one, and there are as many as pictures were decoded side by side.
    assert abs(len(list(Path("/proc/self/fd").iterdir())) - descriptors) <= 1
    children = Path(f"/proc/{decoder.pid}/task/{decoder.pid}/children").read_text().split()
    assert len(children) <= 2


def test_a_nursery_that_died_costs_no_picture(
    decoder: Decoder, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(decoder.pid, signal.SIGKILL)
    os.waitid(os.P_PID, decoder.pid, os.WEXITED | os.WNOWAIT)

    assert ask(decoder, BMP) == (6, 8, 3)
    assert "decoders' nursery has died" in caplog.text
