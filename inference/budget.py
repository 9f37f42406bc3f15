"""The work that one request may cause: a small body must not keep a processor busy for long."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class RequestBudget:
    """Counts the work of a request's pictures, which are processed in several threads.

    Attributes:
        crops_per_picture: Vehicles of one picture that are classified.
        crops: Vehicles of the request that may still be classified.
    """

    crops_per_picture: int
    crops: int
    _lock: Lock = field(default_factory=Lock, repr=False)

    def take_crops(self, wanted: int) -> int:
        """Return how many of a picture's vehicles may be classified, and subtract them."""
        with self._lock:
            granted = min(wanted, self.crops_per_picture, self.crops)
            self.crops -= granted
            return granted
