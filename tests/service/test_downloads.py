"""Pictures by url or bucket affect no other pictures of a request."""

from __future__ import annotations

import threading

import pytest

from gateway.deadline import Deadline
from gateway.parts import FormFile, Part, S3Field, UrlField
from inference.decoding.source import ImageSource
from service.pictures import PictureService
from tests.support.network import FakeNetwork
from tests.support.picture_service import WIDTHS, answer, summary, width
from tests.support.pictures import plain
from tests.support.upload_bucket import BUCKET, UploadBucket


def test_an_unforeseen_failure_of_a_download_affects_its_own_url_only() -> None:
    class OddNetwork(FakeNetwork):
        def resolve(self, host: str, port: int) -> list[str]:
            if host == "odd.example":
                raise ZeroDivisionError
            return super().resolve(host, port)

    network = OddNetwork(WIDTHS)
    parts: list[Part] = [UrlField("http://odd.example/"), UrlField("http://a.example/7.png")]

    assert summary(answer(parts, network=network)) == ["internal_error", 7]


def test_a_hanging_lookup_affects_its_own_url_only() -> None:
    release = threading.Event()

    class SlowNetwork(FakeNetwork):
        def resolve(self, host: str, port: int) -> list[str]:
            if host == "slow.example":
                release.wait(20)
            return super().resolve(host, port)

    network = SlowNetwork(WIDTHS)
    service = PictureService(network.fetcher(timeout_seconds=0.1), max_pixels=4_000_000, max_urls=8)
    parts: list[Part] = [
        UrlField("http://slow.example/"),
        FormFile(plain(1)),
        UrlField("http://a.example/7.png"),
    ]
    try:
        results = service.answer(parts, width, Deadline.after(20))
    finally:
        release.set()

    assert summary(results) == ["url_timeout", 1, 7]


def test_files_do_not_wait_for_urls() -> None:
    seen = []
    network = FakeNetwork(WIDTHS)
    parts: list[Part] = [UrlField("http://a.example/7.png"), FormFile(plain(1)), FormFile(plain(2))]

    def note(source: ImageSource) -> int:
        seen.append(width(source))
        return width(source)

    assert summary(answer(parts, note, network=network)) == [7, 1, 2]
    assert seen == [1, 2, 7]


def test_hanging_lookups_have_a_bounded_number_of_threads() -> None:
    release = threading.Event()

    class HangingNetwork(FakeNetwork):
        def resolve(self, host: str, port: int) -> list[str]:
            release.wait(20)
            return super().resolve(host, port)

    fetcher = HangingNetwork().fetcher(timeout_seconds=0.01)
    service = PictureService(fetcher, max_pixels=4_000_000, max_urls=2)

    def fetching() -> int:
        return sum(each.name.startswith("fetch") for each in threading.enumerate())

    before = fetching()
    try:
        for _ in range(4):
            parts: list[Part] = [UrlField("http://a.example/")] * 2
            assert (
                summary(service.answer(parts, width, Deadline.after(0.02))) == ["url_timeout"] * 2
            )
        assert fetching() - before <= 4
    finally:
        release.set()


@pytest.mark.promise("answer-before-deadline")
def test_hanging_lookups_leave_threads_to_the_bucket() -> None:
    """Two requests whose names did not resolve in time kept all threads from the bucket."""
    release = threading.Event()

    class HangingNetwork(FakeNetwork):
        def resolve(self, host: str, port: int) -> list[str]:
            release.wait(20)
            return super().resolve(host, port)

    upload = f"s3://{BUCKET}/uploads/{1:032}"
    service = PictureService(
        HangingNetwork().fetcher(timeout_seconds=0.01),
        max_pixels=4_000_000,
        max_urls=2,
        uploads=UploadBucket(objects={upload: plain(7)}),
    )
    stalled: list[Part] = [UrlField("http://a.example/")] * 2
    try:
        for _ in range(3):
            service.answer(stalled, width, Deadline.after(0.02))
        results = service.answer([S3Field(upload)], width, Deadline.after(20))
    finally:
        release.set()

    assert summary(results) == [7]
