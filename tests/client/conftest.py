from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from matchvec_client import Retry
from tests.client.stub_api import StubApi, stub_api
from tests.support.handlers import Handler
from tests.support.pictures import plain


@pytest.fixture
def api(handler: Handler) -> Iterator[StubApi]:
    """The API with a model that finds a car and a person in every picture."""
    with stub_api(handler) as running:
        yield running


@dataclass
class Naps:
    """Requested waits in seconds; nothing sleeps."""

    taken: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def retry(naps: Naps) -> Retry:
    return Retry(sleep=naps.sleep, random=lambda: 1.0)


encoded = cache(plain)  # Encoding 20 pictures in each of many tests would take a second.


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twenty pictures with the widths 10 to 29 pixels."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number:02}.png").write_bytes(encoded(width=10 + number))
    return folder


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith("MATCHVEC_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
