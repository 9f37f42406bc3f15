"""Sizes in the headers of HEVC and AV1, the codecs of HEIC and AVIF."""

from __future__ import annotations

from struct import unpack_from

from inference.errors import NotAnImage, UnsupportedFormat

MAX_UNITS = 1000
"""NAL units or OBUs per item, and extents per file and item. An item has a few."""

MAX_SEQUENCES = 8
"""Sequence headers per item or property. An item has one."""

SEQUENCE_PARAMETERS = 33
FIRST_SLICE = 0x80
LAST_SLICE_TYPE = 31
"""NAL unit types of H.265, table 7-1; the flag of a picture's first slice."""

SEQUENCE_HEADER, FRAME_HEADER, FRAME = 1, 3, 6
"""OBU types of AV1, section 6.2.2."""


MAX_GOLOMB_ZEROS = 31
"""Leading zeros of an Exp-Golomb code of 32 bits."""


class BitReader:
    """Reads big-endian bits.

    Args:
        data: The bytes; reading past their end raises ValueError.
    """

    def __init__(self, data: bytes) -> None:
        """Start at the first bit."""
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    def bits(self, count: int) -> int:
        """Return the next bits as an unsigned integer."""
        self._left -= count
        if self._left < 0:
            raise ValueError("the header is truncated")
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """Return the next unsigned Exp-Golomb code: ue(v) of ITU-T H.265, section 9.2."""
        zeros = 0
        while self.bits(1) == 0:
            zeros += 1
            if zeros > MAX_GOLOMB_ZEROS:
                raise ValueError("the number is too long")
        return (1 << zeros) - 1 + self.bits(zeros)


def hevc_pixels(sequence: bytes) -> int:
    """Return the pixels of a picture by an HEVC sequence parameter set (H.265, section 7.3.2.2).

    Args:
        sequence: The NAL unit, with its header of two bytes.

    Raises:
        ValueError: It is truncated.
    """
    reader = BitReader(sequence[2:200].replace(b"\0\0\3", b"\0\0"))
    reader.bits(4)
    layers = reader.bits(3)
    reader.bits(1 + 88 + 8)
    flags = [reader.bits(2) for _ in range(8 if layers else 0)]
    for flag in flags[:layers]:
        reader.bits(88 * (flag >> 1) + 8 * (flag & 1))
    reader.golomb()
    if reader.golomb() == 3:
        reader.bits(1)
    return reader.golomb() * reader.golomb()


def av1_pixels(sequence: bytes) -> int:
    """Return the most pixels of a frame by an AV1 sequence header (AV1 specification, 5.5.1).

    A frame header may exceed the size that the sequence names, but not the size's number of bits.

    Args:
        sequence: The content of the OBU.

    Raises:
        ValueError: It is truncated, or has timing, which only films need.
    """
    reader = BitReader(sequence[:200])
    reader.bits(3 + 1)
    if reader.bits(1):
        reader.bits(5)
    else:
        if reader.bits(1):
            raise ValueError("the image has a frame rate")
        has_delays = reader.bits(1)
        for _ in range(reader.bits(5) + 1):
            reader.bits(12)
            if reader.bits(5) > 7:
                reader.bits(1)
            if has_delays and reader.bits(1):
                reader.bits(4)
    return 1 << (reader.bits(4) + 1 + reader.bits(4) + 1)


def too_many(what: str) -> NotAnImage:
    """Return the error for a file with too many parts of a kind."""
    return NotAnImage(f"The file has too many {what}. Save it again and retry.")


def configured_pixels(box: bytes) -> int:
    """Return the largest size in an `hvcC` box (ISO/IEC 14496-15, 8.3.3), in pixels."""
    if box[21] & 3 != 3:
        raise UnsupportedFormat("HEIC with short lengths is not supported. Save it as JPEG.")
    sets: list[bytes] = []
    position = 23
    for _ in range(box[22]):
        kind = box[position] & 63
        (count,) = unpack_from(">H", box, position + 1)
        position += 3
        for _ in range(count):
            (size,) = unpack_from(">H", box, position)
            if kind == SEQUENCE_PARAMETERS:
                sets.append(box[position + 2 : position + 2 + size])
            position += 2 + size
            if len(sets) > MAX_SEQUENCES or position > len(box):
                raise too_many("sequence headers")
    return max(map(hevc_pixels, sets), default=0)


def hevc_item_pixels(content: bytes) -> int:
    """Return the largest size in the sequence parameter sets of an item, in pixels; 0 if none."""
    pictures = position = 0
    sets: list[bytes] = []
    for _ in range(MAX_UNITS):
        if position + 7 > len(content):
            break
        size = int.from_bytes(content[position : position + 4])
        kind = content[position + 4] >> 1 & 63
        if kind == SEQUENCE_PARAMETERS:
            sets.append(content[position + 4 : position + 4 + size])
        elif kind <= LAST_SLICE_TYPE and content[position + 6] & FIRST_SLICE:
            pictures += 1
        position += 4 + size
    else:
        raise too_many("units")
    if pictures > 1:
        raise UnsupportedFormat("HEIC items with several frames are not supported.")
    if len(sets) > MAX_SEQUENCES:
        raise too_many("sequence headers")
    return max(map(hevc_pixels, sets), default=0)


def av1_item_pixels(content: bytes) -> int:
    """Return the largest size in the sequence headers of an item, in pixels; 0 if none."""
    frames = position = 0
    headers: list[bytes] = []
    for _ in range(MAX_UNITS):
        if position >= len(content):
            break
        head = content[position]
        position += 1 + (head >> 2 & 1)
        size = len(content) - position
        if head & 2:
            size, position = _leb128(content, position)
        kind = head >> 3 & 15
        if kind == SEQUENCE_HEADER:
            headers.append(content[position : position + size])
        frames += kind in (FRAME_HEADER, FRAME)
        position += size
    else:
        raise too_many("units")
    if frames > 1:
        raise UnsupportedFormat("AVIF items with several frames are not supported.")
    if len(headers) > MAX_SEQUENCES:
        raise too_many("sequence headers")
    return max(map(av1_pixels, headers), default=0)


def _leb128(content: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position, of 7 bits per byte, and the position after it."""
    number = 0
    for shift in range(0, 56, 7):
        byte = content[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            break
    return number, position
