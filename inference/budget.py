"""The work that one request may cause: a small body must not keep a processor busy for long."""

from __future__ import annotations

from threading import Lock

from inference.decoding.cost import BASE_MS, allowed_ms
from inference.errors import ImageTooLarge, RequestTooExpensive

PICTURE_MS = 15.0
"""Milliseconds of one core for the detector and everything else around a decode."""

CROP_MS = 4.5
"""Milliseconds of one core to classify a vehicle."""


DRAWING_MS = 800.0
"""Milliseconds of one core to draw on a picture: to scale it and to encode it, if need be again."""

SMALL_DECODE_MS = 1.0
"""Milliseconds of one core that crops leave to each picture that follows, for its decode."""


class RequestBudget:
    """Estimated processor time that a request's pictures may still take.

    It grows with the number of pictures and with their bytes, up to a maximum. The time of the
    detector is reserved for the pictures that have not started, so that the decodes and the crops
    of the first ones leave it to the others. The pictures are processed in several threads.

    Args:
        max_ms: Milliseconds of one core that no request may exceed.
        crops_per_picture: Vehicles of one picture that are classified.
        crops: Vehicles of the request that are classified.
        is_drawn: True if a picture is drawn on. Its time is allowed to any request, and counts.
    """

    def __init__(
        self, *, max_ms: float, crops_per_picture: int, crops: int, is_drawn: bool = False
    ) -> None:
        """Start with the time that a request with one small picture may take."""
        self._max_ms = max_ms
        self._base_ms = BASE_MS + PICTURE_MS
        self._bytes = 0
        self._used_ms = 0.0
        self._waiting = 0
        self._crops_per_picture = crops_per_picture
        self._crops = crops
        self._drawing_ms = DRAWING_MS if is_drawn else 0.0
        self._lock = Lock()

    def expect(self, pictures: int) -> None:
        """Reserve the time of the detector for pictures that will start, and allow that time."""
        with self._lock:
            self._waiting += pictures
            # Half of the base is left for the decodes and crops of any number of pictures.
            self._base_ms = max(self._base_ms, BASE_MS / 2 + pictures * PICTURE_MS)

    def start(self) -> None:
        """Release the reservation of an expected picture: it starts, or could not be fetched."""
        with self._lock:
            self._waiting -= 1

    def add_bytes(self, size: int) -> None:
        """Allow the time that pictures of so many bytes may take."""
        with self._lock:
            self._bytes += size

    def charge(self, decode_ms: float, size: int) -> None:
        """Subtract the estimated time of a picture, before it is decoded.

        Args:
            decode_ms: Milliseconds of one core for all decodes of the picture, as
                `inference.decoding.cost.decode_ms` estimates them.
            size: Bytes of the file.

        Raises:
            ImageTooLarge: The picture takes longer than a request with it alone may.
            RequestTooExpensive: It takes longer than the other pictures have left.
        """
        cost_ms = PICTURE_MS + decode_ms + self._drawing_ms
        with self._lock:
            if cost_ms <= self._left_ms():
                self._used_ms += cost_ms
                return
        if cost_ms > min(self._max_ms, PICTURE_MS + allowed_ms(size) + self._drawing_ms):
            raise ImageTooLarge("The picture takes too much time. Scale it down and retry.")
        raise RequestTooExpensive(
            "The pictures of the request take too much time together. Send fewer per request."
        )

    def take_crops(self, wanted: int) -> int:
        """Return how many of a picture's vehicles may be classified, and subtract their time.

        They get half of the time that is left after small decodes of the pictures that follow.
        """
        with self._lock:
            left_ms = self._left_ms() - self._waiting * SMALL_DECODE_MS
            affordable = max(0, int(left_ms / 2 / CROP_MS))
            granted = min(wanted, self._crops_per_picture, self._crops, affordable)
            self._crops -= granted
            self._used_ms += granted * CROP_MS
            return granted

    def _left_ms(self) -> float:
        # At most half of the maximum is reserved, so that the first of very many pictures pass.
        reserved_ms = min(self._waiting * PICTURE_MS, self._max_ms / 2)
        grown_ms = self._base_ms + allowed_ms(self._bytes) - BASE_MS + self._drawing_ms
        return min(self._max_ms, grown_ms) - self._used_ms - reserved_ms
