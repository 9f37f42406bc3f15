"""What a JPEG has before its first scan, which Pillow reads byte by byte in Python."""

from __future__ import annotations

import re

from PIL.JpegImagePlugin import MARKER

from inference.errors import NotAnImage

MAX_SEGMENTS = 1000
"""Cameras write about 10, a large colour profile or XMP packet 255 more."""

MAX_PADDING = 1 << 16
"""Bytes between segments: fill bytes (ITU T.81, B.1.1.2), and junk that Pillow skips."""

UP_TO_MARKER = re.compile(rb"[^\xff]*\xff+")
FIRST_SEGMENT = 2
START_OF_SCAN = 0xFFDA


def check_segments(data: bytes) -> None:
    """Refuse a file whose segments, or what is between them, would take seconds to walk through.

    It is walked as Pillow does it (a marker without a handler has no length there), but 10 MB of
    padding take milliseconds instead of 5 s.

    Args:
        data: A JPEG, by its first bytes.

    Raises:
        NotAnImage: There are too many segments, or too much between them.
    """
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
        if marker == START_OF_SCAN:
            return
        if marker in MARKER and MARKER[marker][2] is not None:
            position += max(2, int.from_bytes(data[position : position + 2]))
    raise NotAnImage(f"The JPEG has more than {MAX_SEGMENTS} segments: save it anew.")
