"""The work that one request may cause: a small body must not keep a processor busy for long."""

from __future__ import annotations

from threading import Lock

from inference.decoding.cost import BASE_MS, MS_PER_BYTE
from inference.errors import ImageTooLarge, RequestTooExpensive

PICTURE_MS = 15.0
"""Milliseconds of one core for the detector and everything else around a decode."""

CROP_MS = 7.0
"""Milliseconds of one core to classify a vehicle."""


class RequestBudget:
    """Estimated processor time that a request's pictures may still take.

    It grows with their bytes, because large pictures may take long. The pictures are processed in
    several threads.

    Args:
        max_ms: Milliseconds of one core that no request may exceed.
        crops_per_picture: Vehicles of one picture that are classified.
        crops: Vehicles of the request that are classified.
        decodes: Times that pictures are decoded: 2 if they are drawn on, too.
    """

    def __init__(
        self, *, max_ms: float, crops_per_picture: int, crops: int, decodes: int = 1
    ) -> None:
        """Start with the time that a request with one small picture may take."""
        self._max_ms = max_ms
        self._allowed_ms = BASE_MS + PICTURE_MS
        self._used_ms = 0.0
        self._is_charged = False
        self._crops_per_picture = crops_per_picture
        self._crops = crops
        self._decodes = decodes
        self._lock = Lock()

    def expect(self, pictures: int) -> None:
        """Reserve the time of the detector, so that a picture's crops leave it to the others."""
        self._used_ms += pictures * PICTURE_MS

    def add_bytes(self, size: int) -> None:
        """Allow the time that pictures of so many bytes may take."""
        with self._lock:
            self._allowed_ms += size * MS_PER_BYTE

    def charge(self, decode_ms: float) -> None:
        """Subtract the estimated time of a picture.

        Args:
            decode_ms: Milliseconds of one core to decode it once.

        Raises:
            ImageTooLarge: The picture alone takes longer than the request may.
            RequestTooExpensive: It takes longer than the other pictures have left.
        """
        cost_ms = decode_ms * self._decodes
        with self._lock:
            is_first, self._is_charged = not self._is_charged, True
            if cost_ms <= self._left_ms():
                self._used_ms += cost_ms
                return
        if is_first:
            raise ImageTooLarge("The picture takes too much time. Scale it down and retry.")
        raise RequestTooExpensive(
            "The pictures of the request take too much time together. Send fewer per request."
        )

    def take_crops(self, wanted: int) -> int:
        """Return how many of a picture's vehicles may be classified, and subtract their time.

        They get half of the time that is left. The other half is for the pictures that follow.
        """
        with self._lock:
            affordable = max(0, int(self._left_ms() / 2 / CROP_MS))
            granted = min(wanted, self._crops_per_picture, self._crops, affordable)
            self._crops -= granted
            self._used_ms += granted * CROP_MS
            return granted

    def _left_ms(self) -> float:
        return min(self._max_ms, self._allowed_ms) - self._used_ms
