"""HEIC files box by box: valid boxes around pixels that no decoder can read."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">L4s", 8 + len(data), kind) + data


def full_box(kind: bytes, version: int, *content: bytes) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *content)


def golomb(value: int) -> str:
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits


def sequence_parameters(width: int, height: int, layers: int = 0) -> bytes:
    """An HEVC sequence parameter set, up to the size (H.265, section 7.3.2.2)."""
    profile = "0" * 96
    flags = "11" * layers + "00" * (8 - layers) if layers else ""
    bits = "0000" + f"{layers:03b}" + "1" + profile + flags + "0" * 96 * layers
    bits += golomb(0) + golomb(1) + golomb(width) + golomb(height) + "1"
    bits += "0" * (-len(bits) % 8)
    raw = int(bits, 2).to_bytes(len(bits) // 8)
    escaped = bytearray()
    for byte in raw:
        if escaped[-2:] == b"\0\0" and byte <= 3:
            escaped.append(3)
        escaped.append(byte)
    return b"\x42\x01" + bytes(escaped)


def nal_unit(data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + data


PICTURE = nal_unit(b"\x26\x01\xaf" + bytes(20))
"""A picture of one slice: its type, and the flag of a first slice."""


def heic(
    sizes_wh: Sequence[tuple[int, int]],
    *,
    kinds: Sequence[bytes] | None = None,
    uses: Sequence[int] = (),
    content: bytes = PICTURE,
    brand: bytes = b"heic",
) -> bytes:
    """A file with one item per size, where the first item uses the others as tiles.

    Args:
        sizes_wh: Width and height in the sequence parameters of each item.
        kinds: Type of each item; HEVC by default.
        uses: Items, counted from 1, that the first one uses.
        content: Content of every item.
        brand: Major brand.
    """
    kinds = kinds or [b"hvc1"] * len(sizes_wh)
    items = range(1, len(sizes_wh) + 1)
    entries = [
        full_box(b"infe", 2, struct.pack(">HH4sB", item, 0, kind, 0))
        for item, kind in zip(items, kinds, strict=True)
    ]
    properties: list[bytes] = []
    for width, height in sizes_wh:
        parameters = sequence_parameters(width, height)
        array = struct.pack(">BHH", 33, 1, len(parameters)) + parameters
        properties.append(box(b"hvcC", bytes(21) + b"\3\1" + array))
    associations = b"".join(struct.pack(">HBB", item, 1, min(item, 127)) for item in items)
    references = box(b"dimg", struct.pack(f">HH{len(uses)}H", 1, len(uses), *uses))

    def meta(start: int) -> bytes:
        places = b"".join(struct.pack(">HHHLL", item, 0, 1, start, len(content)) for item in items)
        return full_box(
            b"meta",
            0,
            full_box(b"hdlr", 0, bytes(4) + b"pict" + bytes(13)),
            full_box(b"pitm", 0, struct.pack(">H", 1)),
            full_box(b"iloc", 0, b"\x44\0", struct.pack(">H", len(items)), places),
            full_box(b"iinf", 0, struct.pack(">H", len(items)), *entries),
            full_box(b"iref", 0, references) if uses else b"",
            box(
                b"iprp",
                box(b"ipco", *properties),
                full_box(b"ipma", 0, struct.pack(">L", len(items)), associations),
            ),
        )

    head = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", content)
