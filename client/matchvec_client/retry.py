"""When to try again, and how long to wait before."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECONDS = 300.0
"""A server that asks for a longer wait is taken as one that refuses."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how fast to try again: exponential backoff with full jitter.

    The n-th wait is a random share of ``base_seconds * 2**n``, at most `max_seconds`: clients
    that failed together do not come back together
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).

    Attributes:
        attempts: How often a request is sent at most, 1 or more.
        base_seconds: Longest first wait.
        max_seconds: Longest wait of all.
        sleep: Waits; for tests.
        random: A number 0..1; for tests.
    """

    attempts: int = 6
    base_seconds: float = 1.0
    max_seconds: float = 30.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    random: Callable[[], float] = random.random

    async def wait(self, failed_attempts: int, retry_after: float | None) -> None:
        """Wait before the next attempt, no shorter than the server asked for.

        Args:
            failed_attempts: So far, 1 or more.
            retry_after: Seconds that the server asked for.
        """
        longest = min(self.max_seconds, self.base_seconds * 2 ** min(failed_attempts - 1, 30))
        await self.sleep((retry_after or 0.0) + self.random() * longest)


def parse_retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` field: a number or a date (RFC 9110, section 10.2.3).

    Args:
        text: The field; None where there is none.
        now: For tests.

    Returns:
        0 or more; None where the field is missing or says neither.
    """
    if not text:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
