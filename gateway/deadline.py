"""Deadlines: how much time a request has left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on a monotonic clock.

    Attributes:
        at: Time of the deadline, in seconds on `clock`.
        clock: Monotonic clock in seconds; tests pass their own.
    """

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Deadline:
        """Return the deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    def earlier(self, seconds: float) -> Deadline:
        """Return this deadline or the one `seconds` from now, whichever comes first."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    @property
    def remaining(self) -> float:
        """Seconds left, zero once the deadline has passed."""
        return max(0.0, self.at - self.clock())


def seconds_left(deadline: Deadline) -> float:
    """Return a deadline's remaining seconds as a socket timeout, where 0 means "do not block".

    Raises:
        TimeoutError: The deadline has passed.
    """
    if deadline.remaining == 0:
        raise TimeoutError
    return deadline.remaining
