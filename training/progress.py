"""One line of progress with the time left."""

from __future__ import annotations

import time


class Progress:
    """Counts steps of a job of known length and says when it will be done."""

    def __init__(self, total: int, done: int = 0) -> None:
        self._total = total
        self._first = done
        self._started = time.monotonic()

    def line(self, done: int) -> str:
        """`120/812, 1.4 min gone, 8.1 min left`."""
        gone = time.monotonic() - self._started
        left = gone / max(done - self._first, 1) * (self._total - done)
        return f"{done}/{self._total}, {gone / 60:.1f} min gone, {left / 60:.1f} min left"
