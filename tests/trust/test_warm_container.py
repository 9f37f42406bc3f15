"""A container that has answered thousands of requests is as it was after the first ones."""

from __future__ import annotations

import gc
import resource
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from service.settings import Settings
from tests.support.answers import check_well_formed
from tests.support.events import form_event, rest_event, upload
from tests.support.handlers import make_handler
from tests.support.models import fake_pipeline
from tests.support.network import FakeNetwork, http_answer
from tests.support.pictures import corners, encode, plain

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts in Linux's /proc")

WARM_UP = 200
REQUESTS = 2000
MAX_GROWTH_BYTES = 8 << 20
"""Growth of resident memory over `REQUESTS`: 4 KiB each, less than the smallest picture needs."""


class Network(FakeNetwork):
    """Forgets what it was asked: the memory that is measured is the function's."""

    def __post_init__(self) -> None:
        self.requests = Forgetful()
        self.connections = Forgetful()


class Forgetful(list[Any]):
    def append(self, _item: Any) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Usage:
    """Resources of this process, without those of the simulated network."""

    threads: int
    fetching_threads: int
    descriptors: int
    resident_bytes: int


def usage() -> Usage:
    for thread in threading.enumerate():
        if "_serve" in thread.name:
            thread.join(5)
    gc.collect()
    names = [thread.name for thread in threading.enumerate()]
    fetching = sum(name.startswith("fetch") for name in names)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Usage(
        threads=len(names) - fetching,
        fetching_threads=fetching,
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
        resident_bytes=pages * resource.getpagesize(),
    )


PHOTO = encode(corners(1600, 1200), "JPEG")
HUGE = encode(Image.new("1", (9000, 9000)))
NETWORK = {
    "a.example/photo.jpg": http_answer(PHOTO),
    "a.example/moved": http_answer(b"", "302 Found", ["Location: http://b.example/photo.jpg"]),
    "b.example/photo.jpg": http_answer(PHOTO),
    "a.example/large": http_answer(b"x" * 300_000),
    "a.example/page": http_answer(b"<html>"),
}
EVENTS: dict[str, tuple[Any, int]] = {
    "a photo": (form_event("/predict", upload(PHOTO)), 200),
    "many pictures": (form_event("/object_detection", *[upload(plain())] * 32), 200),
    "every other format": (
        form_event(
            "/shape",
            *[upload(encode(corners(), each)) for each in ("WEBP", "GIF", "BMP", "TIFF")],
            upload(encode(corners(), "TIFF")[:-50]),
        ),
        200,
    ),
    "a cut-off photo": (form_event("/predict", upload(PHOTO[:5000])), 200),
    "a huge header": (form_event("/shape", upload(HUGE)), 200),
    "no picture": (form_event("/nbytes", upload(b"%PDF-1.7")), 200),
    "urls": (
        form_event("/shape", *[("url", f"http://{key}") for key in NETWORK], upload(plain())),
        200,
    ),
    "bad urls": (
        form_event(
            "/shape", ("url", "http://nobody.invalid/"), ("url", "file:///etc/passwd"), ("url", "")
        ),
        200,
    ),
    "details": (form_event("/predict", upload(plain()), query={"details": "true"}), 200),
    "bad option": (form_event("/predict", upload(plain()), query={"top": "0"}), 400),
    "a cut-off form": (rest_event("/shape", "multipart/form-data; boundary=b", b"--b\r\n"), 400),
    "no form": (rest_event("/shape", "text/html", b"{}"), 415),
    "no body": (rest_event("/predict"), 400),
    "no route": (rest_event("/nowhere"), 404),
    "health": (rest_event("/health", method="GET"), 200),
    "nonsense": ({"headers": [1], "body": 3}, 404),
}


def mixed(count: int) -> Iterator[tuple[str, Any, int]]:
    """So many events, every kind as often as the others."""
    return islice(cycle((name, *each) for name, each in EVENTS.items()), count)


@pytest.mark.promise("warm-container")
def test_2000_mixed_requests_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    variables = {"MAX_URL_BYTES": "200000", "BASE_MODEL_PATH": str(tmp_path / "models")}
    settings = Settings.from_environment(variables)
    fetcher = Network(NETWORK).fetcher(settings.max_url_bytes)
    handler = make_handler(settings, fetcher, load=lambda _: fake_pipeline())

    def answer(count: int) -> None:
        for name, event, status in mixed(count):
            response = handler(event, None)
            check_well_formed(response)
            assert response["statusCode"] == status, name

    answer(WARM_UP)
    before = usage()
    answer(REQUESTS)
    after = usage()

    assert after.threads <= before.threads
    assert after.descriptors <= before.descriptors
    # The pool makes a thread whenever all are busy, up to its limit.
    assert after.fetching_threads <= 2 * settings.max_urls
    assert list(tmp_path.iterdir()) == []
    grown = after.resident_bytes - before.resident_bytes
    print(f"{REQUESTS} requests: {after}, {grown} bytes more than after {WARM_UP}")
    assert grown < MAX_GROWTH_BYTES
