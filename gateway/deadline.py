"""How long a request may still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on a monotonic clock.

    Attributes:
        at: Seconds on ``clock``.
        clock: Monotonic seconds; tests pass their own.
    """

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    def earlier(self, seconds: float) -> Deadline:
        """This deadline, or the one ``seconds`` from now, whichever comes first."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    @property
    def remaining(self) -> float:
        """Seconds left; zero once it has passed, never negative."""
        return max(0.0, self.at - self.clock())


def seconds_left(deadline: Deadline) -> float:
    """For a socket's timeout, where 0 would mean "do not block".

    Raises:
        TimeoutError: There is no time left.
    """
    if deadline.remaining == 0:
        raise TimeoutError
    return deadline.remaining
