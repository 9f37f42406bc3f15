"""No request exceeds its budget, by counted work: pixels, scans, bytes, detector runs and crops."""

from __future__ import annotations

import pytest

from scripts.worst_case.search import Candidate, Work, count_work, search
from service.settings import Settings

SETTINGS = Settings.from_environment({})
SMALL_BYTES = 10_000
MAX_SMALL_MS = 1000
MAX_DRAWING_MS = 800
MAX_MS = 10_000


@pytest.fixture(scope="module")
def works() -> list[Work]:
    return search(SETTINGS, number=150, encoded_side=2000)


@pytest.mark.promise("cheap-bytes-expensive-work")
def test_no_request_exceeds_its_budget(works: list[Work]) -> None:
    assert len(works) > 100
    assert [work for work in works if work.milliseconds > MAX_MS] == []
    small = [work for work in works if work.body_bytes < SMALL_BYTES]
    assert len(small) > 30
    assert [
        work
        for work in small
        if work.milliseconds > MAX_SMALL_MS + MAX_DRAWING_MS * work.candidate.is_drawn
    ] == []


def test_the_search_finds_requests_that_the_limits_shorten(works: list[Work]) -> None:
    """Otherwise the search would prove nothing."""
    assert max(work.unlimited_ms for work in works if work.body_bytes < SMALL_BYTES) > 25_000
    assert max(work.milliseconds for work in works) > 2000


def test_the_search_is_reproducible() -> None:
    first, second = (search(SETTINGS, number=20, encoded_side=300) for _ in range(2))

    assert first == second


COUNTED = {
    "a picture within the budget": (Candidate("WebP, lossless", 1000, 1, is_drawn=False), 1, 20),
    "thumbnails, whose crops share the time that is left": (
        Candidate("JPEG of one colour", 16, 32, is_drawn=False),
        32,
        89,
    ),
    "a picture that its header refuses": (
        Candidate("WebP, lossless", 7000, 32, is_drawn=False),
        0,
        0,
    ),
}


@pytest.mark.parametrize(("candidate", "answered", "crops"), COUNTED.values(), ids=COUNTED)
def test_work_is_counted(candidate: Candidate, answered: int, crops: int) -> None:
    work = count_work(candidate, SETTINGS)

    assert (work.answered, work.crops) == (answered, crops)
