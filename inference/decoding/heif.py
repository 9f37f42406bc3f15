"""Bounds of HEIC and AVIF files, checked before their decoders read them.

The size of an image says little about its cost: each item (a tile, an alpha plane) has a size of
its own in the headers of its codec, and a grid can use an item many times. So all items count with
the size in the codec's header. ISO/IEC 14496-12 and 23008-12 define the boxes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct, unpack_from

from inference.decoding.heif_codecs import (
    MAX_UNITS,
    av1_item_pixels,
    configured_pixels,
    hevc_item_pixels,
    too_many,
)
from inference.errors import ImageTooLarge, NotAnImage, UnsupportedFormat

FILE_TYPE = b"ftyp"
HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
STILL_AV1 = b"avif"
AV1_BRANDS = frozenset({STILL_AV1, b"avis"})
SHARED_BRANDS = frozenset({b"mif1", b"msf1"})
CODED_HEVC, CODED_AV1 = b"hvc1", b"av01"
IMAGES = frozenset({CODED_HEVC, CODED_AV1, b"grid"})
OTHER_ITEMS = frozenset({b"Exif", b"mime", b"uri ", b"tmap"})

MAX_BOXES = 20_000
MAX_ITEMS = 1000
"""Items per file. A phone's photo of 48 megapixels has about 250."""

MAX_CODED_SHARE = 3
"""Pixels of all items per pixel of the limit: the image, its alpha plane and its thumbnails."""

BOX = Struct(">L4s")
TO_THE_END = 1 << 40
"""Length of an extent that has none: the rest of the file."""


@dataclass(slots=True)
class Items:
    """The items of a file, as its `meta` box describes them.

    Attributes:
        kinds: Item -> type.
        extents: Item -> offset and length of its parts.
        uses: Item -> times that a derived item uses it.
        pixels: Property number -> pixels of its HEVC sequence parameter sets.
        properties: Item -> numbers of its properties.
    """

    kinds: dict[int, bytes] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    uses: Counter[int] = field(default_factory=Counter)
    pixels: dict[int, int] = field(default_factory=dict)
    properties: dict[int, list[int]] = field(default_factory=dict)


def brand_of(data: bytes) -> str | None:
    """Return "HEIC" or "AVIF", or None for another file."""
    if data[4:8] != FILE_TYPE or len(data) < 16:
        return None
    size = min(int.from_bytes(data[:4]), 400)
    brands = {data[8:12], *(data[start : start + 4] for start in range(16, size, 4))}
    if data[8:12] in AV1_BRANDS or (data[8:12] in SHARED_BRANDS and brands & AV1_BRANDS):
        return "AVIF"
    return "HEIC" if data[8:12] in HEVC_BRANDS else None


def as_still(data: bytes) -> bytes:
    """Return an AVIF whose decoder reads the still image, which `check_items` has checked.

    Otherwise it would read the first frame of an animation, whose size is not in the items.
    """
    return data if data[8:12] == STILL_AV1 else data[:8] + STILL_AV1 + data[12:]


def check_items(data: bytes, max_pixels: int) -> int:
    """Refuse a file whose items together take too much memory; return their coded pixels.

    Args:
        data: A HEIC or AVIF.
        max_pixels: Largest width times height of the image.

    Raises:
        ImageTooLarge: The items have too many pixels.
        NotAnImage: The file has too many boxes or items, or damaged ones.
        UnsupportedFormat: An item has a codec that is not supported, or several frames.
    """
    items = _read_items(data)
    if len(items.kinds) > MAX_ITEMS:
        raise too_many("items")
    coded_pixels = coded_bytes = 0
    for item, kind in items.kinds.items():
        if kind not in IMAGES | OTHER_ITEMS:
            raise UnsupportedFormat(
                f"HEIF items of type {kind!r} are not supported. Save the picture as JPEG."
            )
        if kind not in (CODED_HEVC, CODED_AV1):
            continue
        parts = [data[start : start + size] for start, size in items.extents[item]]
        coded_bytes += sum(map(len, parts))
        if coded_bytes > 2 * len(data):
            raise too_many("bytes in its items")
        if kind == CODED_AV1:
            pixels = av1_item_pixels(b"".join(parts))
        else:
            properties = items.properties.get(item, [])
            named = max((items.pixels.get(number, 0) for number in properties), default=0)
            pixels = max(named, hevc_item_pixels(b"".join(parts)))
        if not pixels:
            raise NotAnImage("An item has no size. Save the picture again and retry.")
        coded_pixels += pixels * max(1, items.uses[item])
        if coded_pixels > MAX_CODED_SHARE * max_pixels:
            raise ImageTooLarge(
                f"The picture's parts have over {MAX_CODED_SHARE * max_pixels} pixels. "
                "Scale it down."
            )
    if not coded_pixels:
        raise NotAnImage("The file has no image.")
    return coded_pixels


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of the content of each box."""
    for _ in range(MAX_BOXES):
        if start + BOX.size > end:
            return
        size, kind = BOX.unpack_from(data, start)
        content = start + BOX.size
        if size == 1:
            (size,) = unpack_from(">Q", data, content)
            content += 8
        stop = end if size == 0 else start + size
        if not content <= stop <= end:
            raise NotAnImage("The file is truncated or damaged. Save it again and retry.")
        yield kind, content, stop
        start = stop
    raise too_many("boxes")


def _read_items(data: bytes) -> Items:
    items = Items()
    outer = list(_boxes(data, 0, len(data)))
    metas = [(start, end) for kind, start, end in outer if kind == b"meta"]
    if not metas and any(kind == b"moov" for kind, *_ in outer):
        raise UnsupportedFormat(
            "HEIC and AVIF animations without a still image are not supported. Send one frame."
        )
    if len(metas) != 1:
        raise NotAnImage("The file has no image.")
    [(start, end)] = metas
    boxes = list(_boxes(data, start + 4, end))
    idat = next((start for kind, start, _ in boxes if kind == b"idat"), 0)
    for kind, start, end in boxes:
        if kind == b"iinf":
            _read_kinds(data, start, end, items)
        elif kind == b"iloc":
            _read_extents(data[start:end], idat, items)
        elif kind == b"iref":
            _read_uses(data, start, end, items)
        elif kind == b"iprp":
            _read_properties(data, start, end, items)
    return items


def _read_kinds(data: bytes, start: int, end: int, items: Items) -> None:
    first = start + (6 if data[start] == 0 else 8)
    for kind, entry, _ in _boxes(data, first, end):
        if kind == b"infe":
            is_long = data[entry] == 3
            (item,) = unpack_from(">L" if is_long else ">H", data, entry + 4)
            place = entry + (10 if is_long else 8)
            items.kinds[item] = data[place : place + 4]


def _read_extents(box: bytes, idat: int, items: Items) -> None:
    version = box[0]
    offset_size, length_size = box[4] >> 4, box[4] & 15
    base_size, index_size = box[5] >> 4, (box[5] & 15) if version else 0
    position = 6
    id_size = 4 if version == 2 else 2

    def number(size: int) -> int:
        nonlocal position
        if position + size > len(box):
            raise NotAnImage("The file is truncated or damaged. Save it again and retry.")
        position += size
        return int.from_bytes(box[position - size : position])

    count = number(id_size)
    if count > MAX_ITEMS:
        raise too_many("items")
    for _ in range(count):
        item = number(id_size)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_size) + (idat if method == 1 else 0)
        extents = items.extents.setdefault(item, [])
        for _ in range(number(2)):
            if len(extents) == MAX_UNITS:
                raise too_many("extents")
            number(index_size)
            start = base + number(offset_size)
            size = number(length_size)
            extents.append((start, size or TO_THE_END))


def _read_uses(data: bytes, start: int, end: int, items: Items) -> None:
    id_format = ">L" if data[start] else ">H"
    size = Struct(id_format).size
    for kind, entry, _ in _boxes(data, start + 4, end):
        (count,) = unpack_from(">H", data, entry + size)
        if kind == b"dimg":
            ids = Struct(f">{count}{id_format[1]}").unpack_from(data, entry + size + 2)
            items.uses.update(ids)


def _read_properties(data: bytes, start: int, end: int, items: Items) -> None:
    for kind, content, stop in _boxes(data, start, end):
        if kind == b"ipco":
            for number, (name, first, last) in enumerate(_boxes(data, content, stop), 1):
                if number > MAX_ITEMS:
                    raise too_many("properties")
                if name == b"hvcC":
                    items.pixels[number] = configured_pixels(data[first:last])
        elif kind == b"ipma":
            _read_associations(data, content, items)


def _read_associations(data: bytes, start: int, items: Items) -> None:
    is_long_id, is_long_number = data[start] > 0, data[start + 3] & 1
    (count,) = unpack_from(">L", data, start + 4)
    position = start + 8
    if count > MAX_ITEMS:
        raise too_many("associations")
    for _ in range(count):
        (item,) = unpack_from(">L" if is_long_id else ">H", data, position)
        position += 4 if is_long_id else 2
        numbers = data[position]
        position += 1
        for _ in range(numbers):
            if is_long_number:
                number = unpack_from(">H", data, position)[0] & 0x7FFF
            else:
                number = data[position] & 0x7F
            position += 2 if is_long_number else 1
            items.properties.setdefault(item, []).append(number)
