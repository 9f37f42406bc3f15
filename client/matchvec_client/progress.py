"""Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

BAR_WIDTH = 24
REDRAW_SECONDS = 0.1
LINE_SECONDS = 10.0


class Progress:
    """A progress display with the time left.

    Args:
        total: Number of pictures of the run.
        done: Number of pictures that an earlier run completed.
        file: Output stream; None: no output.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self,
        total: int,
        done: int,
        file: TextIO | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show the initial state."""
        self._total = total
        self._done = self._before = done
        self._failed = 0
        self._file = file
        self._clock = clock
        self._is_terminal = file is not None and file.isatty()
        self._start = self._shown = clock()
        if self._is_terminal:
            self._show()

    def add(self, *, is_failed: bool) -> None:
        """Count a completed picture."""
        self._done += 1
        self._failed += is_failed
        wait = REDRAW_SECONDS if self._is_terminal else LINE_SECONDS
        if self._clock() - self._shown >= wait:
            self._show()

    def note(self, text: str) -> None:
        """Write a message on its own line."""
        if self._file:
            self._file.write(f"\r\033[K{text}\n" if self._is_terminal else f"{text}\n")
            if self._is_terminal:
                self._show()

    def end(self) -> None:
        """Show the final state and end the line."""
        if self._file and (self._is_terminal or self._done > self._before):
            self._show()
            if self._is_terminal:
                self._file.write("\n")

    def text(self) -> str:
        """Return the state without the bar: ``250/500  50 %  12.5/s  0:20 left  3 failed``."""
        share = self._done / self._total if self._total else 1.0
        parts = [f"{self._done}/{self._total}", f"{share:.0%}".replace("%", " %")]
        seconds = self._clock() - self._start
        answered = self._done - self._before
        if answered and seconds > 0:
            rate = answered / seconds
            parts.append(f"{rate:.1f}/s")
            if left := self._total - self._done:
                parts.append(f"{clock_text(left / rate)} left")
            else:
                parts.append(f"in {clock_text(seconds)}")
        if self._failed:
            parts.append(f"{self._failed} failed")
        return "  ".join(parts)

    def _show(self) -> None:
        if self._file is None:
            return
        self._shown = self._clock()
        if not self._is_terminal:
            self._file.write(f"matchvec: {self.text()}\n")
            return
        filled = BAR_WIDTH * self._done // max(1, self._total)
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        width = shutil.get_terminal_size().columns - 1
        self._file.write("\r\033[K" + f"[{bar}] {self.text()}"[:width])
        self._file.flush()


def clock_text(seconds: float) -> str:
    """Format seconds as ``0:07`` or ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
