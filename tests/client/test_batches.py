from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from matchvec_client import Limits
from matchvec_client.api import Part
from matchvec_client.batches import PART_OVERHEAD, plan
from matchvec_client.sources import Source
from service.settings import Settings


def file(size: int, name: str = "a.jpg") -> Source:
    return Source(name, Path(name), size=size)


URL = Source("http://a.example/1.jpg", size=22)


@pytest.mark.parametrize(
    ("sources", "limits", "lengths"),
    [
        ([], Limits(), []),
        ([file(9)] * 40, Limits(pictures=16), [16, 16, 8]),
        ([URL] * 20, Limits(urls=8), [8, 8, 4]),
        ([URL, file(9)] * 10, Limits(pictures=99, urls=8), [16, 4]),
        ([file(1000 - PART_OVERHEAD)] * 5, Limits(body_bytes=2000), [2, 2, 1]),
        ([file(9), file(5000), file(9)], Limits(body_bytes=2000), [1, 1, 1]),
    ],
    ids=["nothing", "pictures", "urls", "urls between files", "bytes", "one too large"],
)
def test_lengths(sources: list[Source], limits: Limits, lengths: list[int]) -> None:
    assert [len(batch) for batch in plan(sources, limits)] == lengths


names = st.text(min_size=1, max_size=300).map(lambda text: "photos/" + text.replace("/", "_"))


@hypothesis_settings(max_examples=30)
@given(st.lists(st.tuples(names, st.integers(0, 2000), st.booleans()), max_size=30))
def test_a_planned_request_is_within_the_limit_and_loses_nothing(
    rows: list[tuple[str, int, bool]],
) -> None:
    """Measured on the form as it is sent."""
    sources = [
        Source(name, size=len(name.encode())) if is_url else file(size, name)
        for name, size, is_url in rows
    ]
    limits = Limits(pictures=5, urls=2, body_bytes=3000)
    batches = list(plan(sources, limits))

    assert [source for batch in batches for source in batch] == sources
    for batch in batches:
        assert len(batch) <= 5
        assert sum(source.is_url for source in batch) <= 2
        parts = [
            Part(source, None if source.is_url else bytes(source.size)).as_field()
            for source in batch
        ]
        request = httpx.Request("POST", "http://a.example/predict", files=parts)
        assert int(request.headers["Content-Length"]) <= 3000


def test_the_limits_are_within_the_apis(settings: Settings) -> None:
    limits = Limits()

    assert -(-limits.body_bytes // 3) * 4 < settings.max_request_bytes - 100_000
    assert limits.pictures <= settings.max_images
    assert limits.urls <= settings.max_urls
    assert limits.fewer(4) == Limits(pictures=4, urls=2)
    assert limits.fewer(4).fewer(4).fewer(4) == Limits(pictures=1, urls=1)
