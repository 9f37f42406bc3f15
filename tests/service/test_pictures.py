from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from gateway.deadline import Deadline
from gateway.parts import Part, Upload, UrlField
from inference.types import ImageRGB
from service.pictures import PictureService, Result
from tests.support.network import FakeNetwork, http_answer
from tests.support.pictures import encode, plain

WIDTHS = {"a.example/7.png": http_answer(plain(7)), "a.example/9.png": http_answer(plain(9))}


def width(image_rgb: ImageRGB) -> int:
    return int(image_rgb.shape[1])


def answer(
    parts: list[Part],
    predict: Callable[[ImageRGB], Any] = width,
    deadline: Deadline | None = None,
    network: FakeNetwork | None = None,
) -> list[Result]:
    network = network or FakeNetwork(WIDTHS)
    service = PictureService(network.fetcher(), max_pixels=1000, max_urls=8)
    return service.answer(parts, predict, deadline or Deadline.after(20))


def summary(results: list[Result]) -> list[Any]:
    return [result.error.code if result.error else result.predictions for result in results]


def test_every_part_is_answered_in_its_place() -> None:
    parts: list[Part] = [
        UrlField("http://a.example/7.png"),
        Upload(plain(1)),
        Upload(b"broken"),
        UrlField("http://a.example/9.png"),
        UrlField("http://gone.invalid/"),
        Upload(plain(3)),
        UrlField("file:///etc/passwd"),
        Upload(plain(40, 40)),
    ]

    assert summary(answer(parts)) == [
        7, 1, "not_an_image", 9, "url_unreachable", 3, "url_not_allowed", "image_too_large",
    ]  # fmt: skip
    assert [result.predictions for result in answer(parts)] == [7, 1, [], 9, [], 3, [], []]


def test_a_url_that_delivers_something_else() -> None:
    network = FakeNetwork({"a.example/": http_answer(b"<html>")})

    assert summary(answer([UrlField("http://a.example/")], network=network)) == ["url_not_an_image"]


def test_a_url_that_delivers_another_format() -> None:
    avif = encode(Image.new("RGB", (4, 4)), "AVIF")
    network = FakeNetwork({"a.example/": http_answer(avif)})

    assert summary(answer([UrlField("http://a.example/")], network=network)) == [
        "unsupported_format"
    ]


def clock_of(*seconds: float) -> Callable[[], float]:
    times: Iterator[float] = iter(seconds)
    return lambda: next(times)


def test_pictures_after_the_deadline_are_told_so_and_the_others_kept() -> None:
    # One look at the clock per picture.
    deadline = Deadline(at=10, clock=clock_of(1, 9.9, 10, 30))
    parts: list[Part] = [Upload(plain(size)) for size in (1, 2, 3, 4)]

    assert summary(answer(parts, deadline=deadline)) == [
        1, 2, "deadline_exceeded", "deadline_exceeded",
    ]  # fmt: skip


def test_a_picture_is_not_begun_when_the_slowest_so_far_would_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Start and end of: decode 1, predict 1 (6 s), decode 2, predict 2.
    monkeypatch.setattr("time.perf_counter", clock_of(0, 0, 0, 6, 6, 6, 6, 6))
    deadline = Deadline(at=10, clock=clock_of(0, 5))
    parts: list[Part] = [Upload(plain(1)), Upload(plain(2))]

    assert summary(answer(parts, deadline=deadline)) == [1, "deadline_exceeded"]


def test_a_fault_of_ours_is_not_blamed_on_the_picture() -> None:
    def fail(_image_rgb: ImageRGB) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer([Upload(plain())], fail)


def test_details_of_an_upload() -> None:
    details = answer([Upload(plain(8, 6), "photo.png")])[0].as_details()

    assert details.pop("timing_ms").keys() == {"fetch", "decode", "inference"}
    assert details == {
        "field": "image",
        "filename": "photo.png",
        "width": 8,
        "height": 6,
        "predictions": 8,
        "error": None,
    }


def test_details_of_a_failed_url_hold_no_secret() -> None:
    details = answer([UrlField("ftp://user:secret@a.example/b?token=secret")])[0].as_details()

    assert details == {
        "field": "url",
        "filename": "ftp://a.example/b",
        "width": None,
        "height": None,
        "predictions": [],
        "error": {"code": "url_not_allowed", "message": "Only http and https urls are opened."},
        "timing_ms": {"fetch": 0.0, "decode": 0.0, "inference": 0.0},
    }
