"""Waits between attempts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECONDS = 300.0
"""Seconds; a longer `Retry-After` counts as a refusal."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff with full jitter.

    The n-th wait is a random share of ``base_seconds * 2**n``, at most `max_seconds`, so that
    clients that failed together do not retry together
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).

    Attributes:
        attempts: Maximum number of attempts of a request, at least 1.
        base_seconds: Upper limit of the first wait, in seconds.
        max_seconds: Upper limit of every wait, in seconds.
        sleep: Sleep function; tests replace it.
        random: Source of random numbers, 0..1; tests replace it.
    """

    attempts: int = 6
    base_seconds: float = 1.0
    max_seconds: float = 30.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    random: Callable[[], float] = random.random

    async def wait(self, failed_attempts: int, retry_after: float | None) -> None:
        """Wait before the next attempt, at least as long as the server asked for.

        Args:
            failed_attempts: Failed attempts so far, at least 1.
            retry_after: Seconds that the server asked for; None: not given.
        """
        longest = min(self.max_seconds, self.base_seconds * 2 ** min(failed_attempts - 1, 30))
        await self.sleep((retry_after or 0.0) + self.random() * longest)


def parse_retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Parse a `Retry-After` header: seconds or a date (RFC 9110, section 10.2.3).

    Args:
        text: Header value; None: missing.
        now: Current time; tests pass one.

    Returns:
        Seconds, at least 0; None: the header is missing or invalid.
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
