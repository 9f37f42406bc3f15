"""How much work a JPEG's bytes are: segments, which Pillow reads in Python, and scans."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PIL.JpegImagePlugin import MARKER

from inference.errors import NotAnImage

MAX_SEGMENTS = 1000
"""Cameras write about 10, a large colour profile or XMP packet 255 more."""

MAX_PADDING = 1 << 16
"""Bytes between segments: fill bytes (ITU T.81, B.1.1.2), and junk that Pillow skips."""

UP_TO_MARKER = re.compile(rb"[^\xff]*\xff+")
FIRST_SEGMENT = 2
START_OF_SCAN = 0xFFDA
SEQUENTIAL_FRAMES = frozenset({0xFFC0, 0xFFC1})
"""SOF0 and SOF1, ITU T.81, table B.1: baseline and extended, no progression."""
FRAME_COMPONENTS = 7
"""Where the number of components stands in a frame's segment, its length included (B.2.2)."""
SCAN_COMPONENTS = 2
"""The same in a scan's segment (B.2.3)."""


def count_scans(data: bytes) -> int:
    """At most how many scans a decoder works through, each of which may take it a whole pass.

    Args:
        data: A JPEG, by its first bytes.

    Returns:
        1 for an ordinary file, whose first scan has all components: libjpeg refuses another one.
        Else every place that looks like a scan's start, which takes a millisecond for a megabyte.

    Raises:
        NotAnImage: As `check_segments` does.
    """
    components = None
    for marker, position in _segments(data):
        if marker in SEQUENTIAL_FRAMES and components is None:
            components = data[position + FRAME_COMPONENTS : position + FRAME_COMPONENTS + 1]
        first_has = data[position + SCAN_COMPONENTS : position + SCAN_COMPONENTS + 1]
        if marker == START_OF_SCAN and first_has == components:
            return 1
    return data.count(START_OF_SCAN.to_bytes(2))


def check_segments(data: bytes) -> None:
    """Refuse a file whose segments, or what is between them, would take seconds to walk through.

    It is walked as Pillow does it (a marker without a handler has no length there), but 10 MB of
    padding take milliseconds instead of 5 s.

    Args:
        data: A JPEG, by its first bytes.

    Raises:
        NotAnImage: There are too many segments, or too much between them.
    """
    for _ in _segments(data):
        pass


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker, and where the segment's length stands, of each segment up to the first scan's."""
    position = FIRST_SEGMENT
    padding = 0
    for _ in range(MAX_SEGMENTS):
        lead = UP_TO_MARKER.match(data, position)
        if lead is None or lead.end() == len(data):
            return  # Cut off, which the decoder finds too.
        padding += lead.end() - position - 1
        if padding > MAX_PADDING:
            raise NotAnImage("The JPEG has too much padding between its segments: save it anew.")
        position = lead.end() + 1
        marker = 0xFF00 | data[lead.end()]
        yield marker, position
        if marker == START_OF_SCAN:
            return
        if marker in MARKER and MARKER[marker][2] is not None:
            position += max(2, int.from_bytes(data[position : position + 2]))
    raise NotAnImage(f"The JPEG has more than {MAX_SEGMENTS} segments: save it anew.")
