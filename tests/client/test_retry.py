from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from matchvec_client import Retry
from matchvec_client.retry import parse_retry_after
from tests.client.conftest import Naps

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 120 ", 120),
        ("1.5", None),
        ("-1", None),
        ("٣", None),
        ("soon", None),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.parametrize(
    ("random", "waits"),
    [(1.0, [1, 2, 4, 8, 16, 30, 30]), (0.5, [0.5, 1, 2, 4, 8, 15, 15]), (0.0, [0] * 7)],
)
def test_waits_grow_to_a_limit(naps: Naps, random: float, waits: list[float]) -> None:
    retry = Retry(sleep=naps.sleep, random=lambda: random)
    for failed in range(1, 8):
        asyncio.run(retry.wait(failed, None))

    assert naps.taken == waits


def test_no_sooner_than_the_server_asks(naps: Naps) -> None:
    asyncio.run(Retry(sleep=naps.sleep, random=lambda: 0.0).wait(1, 20.0))

    assert naps.taken == [20]
