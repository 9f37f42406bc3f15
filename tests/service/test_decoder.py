"""A decoder's death, delay or greed costs its own picture and nothing else."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import pytest

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded
from gateway.parts import FormFile
from inference.decoding.decode import decode
from inference.decoding.source import NOTHING
from inference.errors import ImageTooLarge, NotAnImage
from inference.types import ImageRGB
from service.decoder import Decoder
from service.nursery import Nursery, start_nursery
from service.pictures import PictureService
from service.predictions import shape_of
from service.workers import Workers
from tests.support import vulnerable
from tests.support.network import FakeNetwork
from tests.support.pictures import corners, encode
from tests.support.vulnerable import BMP, CHATTER, CRASH, GREED, SLEEP, SPIN

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are used on Linux")


@pytest.fixture
def nursery() -> Nursery:
    """That of `decoder`, and closed by it."""
    return start_nursery(vulnerable.NAME, cpu_seconds=0, memory_bytes=200 << 20)


@pytest.fixture
def decoder(nursery: Nursery) -> Iterator[Decoder]:
    nurseries = chain([nursery], repeat(None))
    decoder = Decoder(Workers(lambda: next(nurseries) or start_nursery(vulnerable.NAME)))
    assert ask(decoder, BMP) == (6, 8, 3)
    yield decoder
    decoder.close()


def workers(nursery: Nursery) -> list[int]:
    """Their process ids."""
    pid = nursery.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ask(decoder: Decoder, data: bytes, seconds: float = 60) -> tuple[int, ...]:
    deadline = Deadline.after(seconds)
    return decoder(data, max_pixels=1_000_000, need=NOTHING, deadline=deadline).image_rgb.shape


def test_the_pixels_are_those_of_decode(decoder: Decoder) -> None:
    def pixels(data: bytes) -> ImageRGB:
        deadline = Deadline.after(60)
        return decoder(data, max_pixels=1000, need=NOTHING, deadline=deadline).image_rgb

    data = encode(corners(), "WEBP")
    first = pixels(data)
    second = pixels(BMP)

    assert np.array_equal(first, decode(data, max_pixels=1000))
    assert np.array_equal(second, decode(BMP, max_pixels=1000))
    assert first.flags.c_contiguous
    assert first.dtype == np.uint8


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_formats_that_are_decoded_in_this_process(
    file_format: str, monkeypatch: pytest.MonkeyPatch, decoder: Decoder
) -> None:
    def take(_self: Workers, _deadline: Deadline) -> None:
        raise AssertionError("a worker was asked")

    monkeypatch.setattr(Workers, "take", take)

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


def test_a_decoder_that_died_idle_costs_no_picture(nursery: Nursery, decoder: Decoder) -> None:
    assert ask(decoder, BMP) == (6, 8, 3)
    (pid,) = workers(nursery)
    os.kill(pid, signal.SIGKILL)
    while Path("/proc", str(pid)).exists():
        time.sleep(0.001)

    assert ask(decoder, BMP) == (6, 8, 3)


def refuse_memory(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refused(name: str) -> int:
        raise OSError(code, f"no memfd_create for {name}")

    monkeypatch.setattr(os, "memfd_create", refused)


NO_PROCESSES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a sandbox that allows no memfd_create": lambda patch: refuse_memory(patch, errno.EPERM),
    "another system than Linux": lambda patch: patch.setattr(sys, "platform", "darwin"),
    "a Python that is not there": lambda patch: patch.setattr(sys, "executable", "/nowhere/python"),
    "a Python that does not know where it is": lambda patch: patch.setattr(sys, "executable", None),
}


@pytest.mark.parametrize("take_away", NO_PROCESSES.values(), ids=NO_PROCESSES)
def test_where_there_can_be_no_processes_pictures_are_decoded_in_this_one(
    take_away: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    take_away(monkeypatch)
    decoder = Decoder()

    assert [ask(decoder, BMP), ask(decoder, BMP)] == [(6, 8, 3)] * 2
    assert caplog.text.count("decoded in this process, unprotected") == 1


def test_what_is_short_for_a_moment_leaves_the_next_picture_protected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = Workers()
    decoder = Decoder(workers)
    with monkeypatch.context() as patch:
        refuse_memory(patch, errno.EMFILE)
        with pytest.raises(MemoryError):
            ask(decoder, BMP)

    assert ask(decoder, BMP) == (6, 8, 3)
    assert workers._nursery
    decoder.close()


def test_a_decoder_is_started_without_the_variables_of_the_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    nursery = start_nursery()
    decoder = Decoder(Workers(lambda: nursery))
    ask(decoder, BMP)
    environment = Path(f"/proc/{nursery.process.pid}/environ").read_bytes()
    decoder.close()

    assert {line.partition(b"=")[0] for line in environment.split(b"\0")} <= {
        b"",
        b"LD_LIBRARY_PATH",
        b"OPENBLAS_NUM_THREADS",
    }


def test_decoders_write_to_no_log(decoder: Decoder, capfd: pytest.CaptureFixture[str]) -> None:
    assert ask(decoder, CHATTER) == (6, 8, 3)
    assert capfd.readouterr() == ("", "")


def test_the_neighbours_of_a_picture_that_kills_its_decoder_are_answered(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pictures.shared_decoder", lambda: decoder)
    service = PictureService(FakeNetwork({}).fetcher(), 1_000_000, 1)
    parts = [FormFile(BMP, "a"), FormFile(CRASH, "b"), FormFile(BMP, "c")]
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


def test_pictures_side_by_side_and_crashes_leave_nothing_behind(
    nursery: Nursery, decoder: Decoder
) -> None:
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
    assert len(workers(nursery)) <= 2


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_nursery_that_died_costs_no_picture(nursery: Nursery, decoder: Decoder) -> None:
    (pid,) = workers(nursery)
    kill(pid, nursery.process.pid)
    os.waitid(os.P_PID, nursery.process.pid, os.WEXITED | os.WNOWAIT)
    while Path("/proc", str(pid)).exists():
        time.sleep(0.001)

    assert ask(decoder, BMP) == (6, 8, 3)
    assert decoder._workers._nursery not in (None, nursery)


def test_nurseries_that_die_at_their_start_cost_no_picture(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started = []

    def start() -> Nursery:
        started.append(start_nursery("inference.nowhere:decode"))
        return started[-1]

    decoder = Decoder(Workers(start))
    shapes: list[tuple[int, ...]] = []
    side_by_side(lambda: shapes.extend(ask(decoder, BMP) for _ in range(6)), 2)
    decoder.close()

    assert shapes == [(6, 8, 3)] * 12
    assert len(started) == 3
    assert "nursery has died with status 1" in caplog.text
    assert caplog.text.count("decoded in this process, unprotected") == 1
