"""The segments of a JPEG up to its first scan: their bounds, and what they say about the image."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from inference.errors import NotAnImage, UnsupportedFormat
from inference.types import SizeWH

MAX_SEGMENTS = 1000
"""Segments per file. Cameras write about 10; a large color profile or XMP packet adds 255."""

MAX_PADDING = 1 << 16
"""Bytes between segments: fill bytes (ITU T.81, B.1.1.2) and junk that Pillow skips."""

UP_TO_MARKER = re.compile(rb"[^\xff]*\xff+")
FIRST_SEGMENT = 2
START_OF_SCAN = 0xFFDA
SEQUENTIAL_FRAMES = frozenset({0xFFC0, 0xFFC1})
"""SOF0 and SOF1, ITU T.81, table B.1: baseline and extended, no progression."""
OTHER_FRAMES = frozenset(range(0xFFC3, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
"""SOF3 and SOF5 to SOF15: lossless, hierarchical and arithmetic coding. No camera writes them, and
337 bytes of arithmetic coding with 50 megapixels took 12 s."""
FRAMES = SEQUENTIAL_FRAMES | OTHER_FRAMES | {0xFFC2}
WITH_LENGTH = (
    frozenset(range(0xFFC0, 0xFFF0)) - {0xFFC8, *range(0xFFD0, 0xFFDA)} | {0xFFFE}
)  # fmt: skip
"""Markers of segments that start with their length; Pillow reads the same ones."""
APP1 = 0xFFE1
EXIF = b"Exif\0\0"
"""Marker and first bytes of a segment with EXIF: Exif 3.0 (CIPA DC-008), section 4.7.2."""
FRAME_SIZE = 3
"""Offset of height and width in a frame's segment, 2 bytes each (B.2.2)."""
FRAME_PRECISION = 2
"""Offset of the bits per sample in a frame's segment, counted from its length (B.2.2)."""
FRAME_COMPONENTS = 7
"""Offset of the number of components in a frame's segment, counted from its length (B.2.2)."""
SCAN_COMPONENTS = 2
"""The same in a scan's segment (B.2.3)."""
GRAY_OR_COLOR = frozenset({1, 3})
"""Numbers of components that simplejpeg converts to RGB; CMYK has 4."""


class JpegHeader:
    """Facts about the image from its segments, under the names of a Pillow image.

    Args:
        size: Width and height of the stored image in pixels.
        exif: EXIF data, b"" if there is none.
    """

    format = "JPEG"
    tile: Sequence[Any] = ()

    def __init__(self, size: SizeWH, exif: bytes) -> None:
        """Keep the values."""
        self.size = size
        self.width, self.height = size
        self.exif = exif


def read_header(data: bytes) -> JpegHeader | None:
    """Read the header of a gray or color JPEG; None if Pillow has to read it.

    Args:
        data: A file with a JPEG signature that `check_segments` has accepted.
    """
    frames: list[int] = []
    exif = b""
    for marker, position in _segments(data):
        if marker in FRAMES:
            frames.append(position)
        elif marker == APP1:
            end = position + int.from_bytes(data[position : position + 2])
            content = data[position + 2 : end]
            if content.startswith(EXIF):  # Large EXIF data has several segments.
                exif += content.removeprefix(EXIF)
        elif marker == START_OF_SCAN and len(frames) == 1:
            size = frames[0] + FRAME_SIZE
            height, width = (int.from_bytes(data[at : at + 2]) for at in (size, size + 2))
            if data[frames[0] + FRAME_COMPONENTS] in GRAY_OR_COLOR:
                return JpegHeader((width, height), exif)
    return None


def count_scans(data: bytes) -> int:
    """Return the largest number of scans that a decoder reads. Each can take a full pass.

    Args:
        data: A file with a JPEG signature.

    Returns:
        1 for an ordinary file, whose first scan has all components: libjpeg refuses further ones.
        Otherwise the number of scan markers in the bytes; counting takes 1 ms per megabyte.

    Raises:
        NotAnImage: As for `check_segments`.
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
    """Refuse a file whose segments, or the bytes between them, take seconds to read or decode.

    Segments are read as in Pillow (a marker without a handler has no length there), but 10 MB of
    padding take milliseconds instead of 5 s.

    Args:
        data: A file with a JPEG signature.

    Raises:
        NotAnImage: The file has too many segments or too much padding between them.
        UnsupportedFormat: The frame is not baseline, extended or progressive Huffman coding with
            8 bits per sample.
    """
    for marker, position in _segments(data):
        if marker not in FRAMES:
            continue
        if marker in OTHER_FRAMES:
            raise UnsupportedFormat(
                "JPEGs with lossless, hierarchical or arithmetic coding are not supported. "
                "Save the picture as an ordinary JPEG and retry."
            )
        if data[position + FRAME_PRECISION : position + FRAME_PRECISION + 1] != b"\x08":
            raise UnsupportedFormat(
                "JPEGs with other than 8 bits per sample are not supported. "
                "Save the picture as an ordinary JPEG and retry."
            )


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield marker and offset of the length of each segment, up to the first scan."""
    position = FIRST_SEGMENT
    padding = 0
    for _ in range(MAX_SEGMENTS):
        lead = UP_TO_MARKER.match(data, position)
        if lead is None or lead.end() == len(data):
            return  # Truncated; the decoder reports it.
        padding += lead.end() - position - 1
        if padding > MAX_PADDING:
            raise NotAnImage("The JPEG has too much padding. Save it again and retry.")
        position = lead.end() + 1
        marker = 0xFF00 | data[lead.end()]
        yield marker, position
        if marker == START_OF_SCAN:
            return
        if marker in WITH_LENGTH:
            position += max(2, int.from_bytes(data[position : position + 2]))
    raise NotAnImage(f"The JPEG has more than {MAX_SEGMENTS} segments. Save it again and retry.")
