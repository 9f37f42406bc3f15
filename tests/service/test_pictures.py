from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from gateway.deadline import Deadline
from gateway.errors import NotAPicture
from gateway.parts import FormFile, Part, UrlField
from inference.budget import RequestBudget
from inference.decoding.resolution import SMALLEST
from inference.decoding.source import ImageSource
from inference.errors import ImageTooLarge
from inference.types import ImageRGB
from service.pictures import PictureService
from tests.support.network import FakeNetwork, http_answer
from tests.support.picture_service import answer, summary, width
from tests.support.pictures import plain


def test_results_are_in_the_order_of_the_parts() -> None:
    parts: list[Part] = [
        UrlField("http://a.example/7.png"),
        FormFile(plain(1)),
        FormFile(b"broken"),
        UrlField("http://a.example/9.png"),
        UrlField("http://gone.invalid/"),
        FormFile(plain(3)),
        UrlField("file:///etc/passwd"),
        FormFile(plain(2001, 2000)),
    ]

    assert summary(answer(parts)) == [
        7, 1, "not_an_image", 9, "url_unreachable", 3, "url_not_allowed", "image_too_large",
    ]  # fmt: skip
    assert [result.answer for result in answer(parts)] == [
        7, 1, None, 9, None, 3, None, None,
    ]  # fmt: skip


def make_budget() -> RequestBudget:
    return RequestBudget(max_ms=8000, crops_per_picture=100, crops=1000)


def crops(source: ImageSource) -> int:
    source.decode(SMALLEST)
    return source.take_crops(1000)


def test_parts_without_content_reserve_no_time() -> None:
    unusable: list[Part] = [UrlField("http://gone.invalid/")] * 8
    unusable += [FormFile(b"", error=NotAPicture("The file is empty."))] * 20
    [alone] = answer([UrlField("http://a.example/9.png")], crops, budget=make_budget())
    last = answer([*unusable, UrlField("http://a.example/9.png")], crops, budget=make_budget())[-1]

    assert alone.answer == last.answer == 72


class WatchedBudget(RequestBudget):
    """A budget with an event for the bytes of a download."""

    def __init__(self, awaited_bytes: int) -> None:
        super().__init__(max_ms=8000, crops_per_picture=100, crops=1000)
        self._awaited_bytes = awaited_bytes
        self.has_bytes = threading.Event()

    def add_bytes(self, size: int) -> None:
        super().add_bytes(size)
        if size == self._awaited_bytes:
            self.has_bytes.set()


def test_the_bytes_of_a_download_count_while_another_picture_is_processed() -> None:
    budget = WatchedBudget(len(plain(9)))
    parts: list[Part] = [FormFile(plain(1, 2000)), UrlField("http://a.example/9.png")]
    first, _ = answer(parts, lambda _source: budget.has_bytes.wait(5), budget=budget)

    assert first.answer is True


def test_a_url_that_delivers_something_else() -> None:
    network = FakeNetwork({"a.example/": http_answer(b"<html>")})

    assert summary(answer([UrlField("http://a.example/")], network=network)) == ["url_not_an_image"]


def test_a_url_that_delivers_another_format() -> None:
    network = FakeNetwork({"a.example/": http_answer(b"%PDF-1.7\n")})

    assert summary(answer([UrlField("http://a.example/")], network=network)) == [
        "unsupported_format"
    ]


class FakeClock:
    """A clock that only tests advance."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taking(clock: FakeClock, seconds: float) -> Callable[[ImageSource], Any]:
    """Return a predict function that takes that many seconds of the clock."""

    def predict(source: ImageSource) -> int:
        clock.now += seconds
        return width(source)

    return predict


@pytest.mark.promise("answer-before-deadline")
def test_pictures_after_the_deadline_fail_and_the_others_are_kept() -> None:
    clock = FakeClock()
    parts: list[Part] = [FormFile(plain(size)) for size in (1, 2, 3, 4)]

    # Real time is short, so that only the deadline itself counts here.
    assert summary(answer(parts, taking(clock, 5), Deadline(10, clock))) == [
        1, 2, "deadline_exceeded", "deadline_exceeded",
    ]  # fmt: skip


def test_a_picture_is_not_started_if_the_slowest_so_far_would_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeClock()
    monkeypatch.setattr("time.perf_counter", clock)
    parts: list[Part] = [FormFile(plain(1)), FormFile(plain(2))]

    assert summary(answer(parts, taking(clock, 6), Deadline(10, clock))) == [
        1, "deadline_exceeded",
    ]  # fmt: skip


@pytest.mark.promise("one-element-per-part")
def test_an_internal_error_affects_no_other_picture(caplog: pytest.LogCaptureFixture) -> None:
    def fail_on_the_second(source: ImageSource) -> int:
        if width(source) == 2:
            raise ZeroDivisionError
        return width(source)

    parts: list[Part] = [FormFile(plain(size)) for size in (1, 2, 3)]

    assert summary(answer(parts, fail_on_the_second)) == [1, "internal_error", 3]
    assert "ZeroDivisionError" in caplog.text


OUT_OF_MEMORY = {
    "Python": MemoryError(),
    "OpenCV": RuntimeError(
        "OpenCV(5.0.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9"
    ),
    "onnxruntime": RuntimeError(
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested "
        "buffer of size 9"
    ),
    "C++": RuntimeError("std::bad_alloc"),
}


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
def test_a_large_picture_is_too_large_when_memory_runs_out(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_on_the_second(source: ImageSource) -> int:
        if width(source) == 2500:
            raise error
        return width(source)

    parts: list[Part] = [FormFile(plain(1)), FormFile(plain(2500, 1600)), FormFile(plain(3))]

    assert summary(answer(parts, fail_on_the_second)) == [1, "image_too_large", 3]
    assert "part 1 failed" in caplog.text


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
def test_a_small_picture_is_not_blamed_when_memory_runs_out(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(source: ImageSource) -> int:
        width(source)
        raise error

    assert summary(answer([FormFile(plain())], fail)) == ["internal_error"]
    assert "part 0 failed" in caplog.text


def test_a_picture_that_failed_is_no_longer_in_memory() -> None:
    failed: list[weakref.ref[ImageRGB]] = []

    def fail(source: ImageSource) -> int:
        failed.append(weakref.ref(source.decode(SMALLEST).image_rgb))
        raise ImageTooLarge("Scale it down.")

    gc.disable()
    try:
        results = answer([FormFile(plain())], fail)
        kept = [each() for each in failed]
    finally:
        gc.enable()

    assert summary(results) == ["image_too_large"]
    assert kept == [None]


def test_pictures_are_processed_in_parallel() -> None:
    both = threading.Barrier(2, timeout=20)

    def meet(source: ImageSource) -> int:
        both.wait()
        return width(source)

    service = PictureService(FakeNetwork({}).fetcher(), max_pixels=4_000_000, max_urls=1, workers=2)
    parts: list[Part] = [
        FormFile(plain(1)),
        FormFile(plain(2)),
        FormFile(plain(3)),
        FormFile(plain(4)),
    ]

    assert summary(service.answer(parts, meet, Deadline.after(20))) == [1, 2, 3, 4]
