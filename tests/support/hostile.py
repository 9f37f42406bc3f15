"""Hostile pictures: small files that take long to decode, and damaged files."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.support.pictures import corners, encode

BYTES = 10_000_000
"""Size of a flood in bytes: the largest file that a url may deliver."""

JPEG = encode(corners(), "JPEG")
GIF = encode(corners().convert("P"), "GIF")
WEBP = encode(corners(), "WEBP", lossless=True)
FRAME = 13 + (6 << (GIF[10] & 7))
"""Offset of the GIF's first frame."""


def jpeg_with(segments: bytes) -> bytes:
    return JPEG[:2] + segments + JPEG[2:]


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def scans(count: int, width: int = 40, height: int = 20, mode: str = "RGB") -> bytes:
    """Return a progressive JPEG whose last scan is repeated."""
    data = encode(Image.new(mode, (width, height)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def exif(entries: int, size: int) -> bytes:
    """Return an EXIF directory whose entries all refer to the same bytes."""
    start = 8 + 2 + 12 * entries + 4
    fields = (struct.pack("<HHLL", 1000 + entry, 7, size, start) for entry in range(entries))
    return struct.pack("<4sLH", b"II*\0", 8, entries) + b"".join(fields) + bytes(4 + size)


def exif_segments(content: bytes) -> bytes:
    """Return EXIF data in as many segments as it needs; Pillow joins them."""
    pieces = (content[start : start + 65000] for start in range(0, len(content), 65000))
    return b"".join(segment(0xE1, b"Exif\0\0" + piece) for piece in pieces)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", checksum)


def png(pixels: bytes | None = None, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return a black PNG of 8x6, with chunks before, after or instead of the pixels."""
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", 8, 6, 8, 2, 0, 0, 0))
    black = chunk(b"IDAT", zlib.compress(bytes(6 * (1 + 8 * 3))))
    body = before + (black if pixels is None else pixels) + after
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND")


def png_size(width: int, height: int) -> bytes:
    """Return a PNG whose header has this size."""
    return png().replace(
        chunk(b"IHDR", struct.pack(">LLBBBBB", 8, 6, 8, 2, 0, 0, 0)),
        chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)),
    )


def frames(count: int) -> bytes:
    """Return chunks that announce frames of an animated PNG before the first pixel."""
    control = (struct.pack(">LLLLLHHBB", n, 8, 6, 0, 0, 1, 1, 0, 0) for n in range(count))
    return chunk(b"acTL", struct.pack(">LL", 1, 0)) + b"".join(chunk(b"fcTL", c) for c in control)


def one_byte_chunks(content: bytes) -> bytes:
    return b"".join(chunk(b"IDAT", content[at : at + 1]) for at in range(len(content)))


def gif_with(blocks: bytes) -> bytes:
    return GIF[:FRAME] + blocks + GIF[FRAME:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        kind + struct.pack("<L", len(content)) + content + bytes(len(content) % 2)
        for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body


WEBP_PIXELS = (WEBP[12:16], WEBP[20:])


def webp_header(flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", struct.pack("<L", flags) + b"\x27\0\0\x13\0\0"


def rle_bmp(width: int, height: int, codes: bytes) -> bytes:
    offset = 14 + 40 + 4
    header = struct.pack("<2sIHHI", b"BM", offset + len(codes), 0, 0, offset)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(codes), 0, 0, 1, 0)
    return header + info + b"\xff\x00\x00\x00" + codes


def tiff_tile(side: int, content: bytes) -> bytes:
    """Return a gray TIFF of 8x6 with one deflated tile of this side."""
    fields = [
        (256, 3, 8), (257, 3, 6), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1),
        (322, 4, side), (323, 4, side), (324, 4, 8 + 2 + 12 * 10 + 4), (325, 4, len(content)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHLL", tag, kind, 1, value) for tag, kind, value in fields)
    return struct.pack("<4sLH", b"II*\0", 8, len(fields)) + entries + bytes(4) + content


def _megabyte() -> bytes:
    """Return 1 MB of binary data, deflated."""
    return zlib.compress(b"\xff" * 1_000_000, 9)


FLOODS: dict[str, Callable[[], bytes]] = {
    "JPEG: fill bytes": lambda: jpeg_with(b"\xff" * BYTES),
    "JPEG: junk": lambda: jpeg_with(b"\xff\xfe\0\2" + b"\1" * BYTES),
    "JPEG: escaped bytes": lambda: jpeg_with(b"\xff\0" * (BYTES // 2)),
    "JPEG: restart markers": lambda: jpeg_with(b"\xff\xd0" * (BYTES // 2)),
    "JPEG: markers without a length": lambda: jpeg_with(segment(0xF0, bytes(65000)) * 150),
    "JPEG: empty comments": lambda: jpeg_with(segment(0xFE, b"") * (BYTES // 4)),
    "JPEG: empty tables": lambda: jpeg_with(segment(0xDB, b"") * (BYTES // 4)),
    "JPEG: empty EXIF": lambda: jpeg_with(segment(0xE1, b"Exif\0\0") * (BYTES // 10)),
    "JPEG: empty colour profiles": lambda: jpeg_with(
        segment(0xE2, b"ICC_PROFILE\0\1\1") * (BYTES // 18)
    ),
    "JPEG: 50 MP in 60 scans": lambda: scans(60, 7000, 7100),
    "PNG: chunks before the pixels": lambda: png(before=chunk(b"tIME") * (BYTES // 12)),
    "PNG: chunks after the pixels": lambda: png(after=chunk(b"aaAa") * (BYTES // 12)),
    "PNG: pixels in empty chunks": lambda: png(chunk(b"IDAT") * (BYTES // 12)),
    "PNG: pixels byte by byte": lambda: png(one_byte_chunks(bytes(BYTES // 13))),
    "PNG: colour profiles": lambda: png(before=chunk(b"iCCP", b"a\0\0" + _megabyte()) * 9000),
    "PNG: texts": lambda: png(after=chunk(b"iTXt", b"a\0\1\0\0\0" + _megabyte()) * 9000),
    "APNG: frames": lambda: png(before=frames(BYTES // 38)),
    "GIF: comments": lambda: gif_with(b"!\xfe" + b"\1a" * (BYTES // 2) + b"\0"),
    "GIF: extensions": lambda: gif_with(b"!\xf9\4\0\0\0\0\0" * (BYTES // 8)),
    "GIF: junk": lambda: gif_with(b"a" * BYTES),
    "TIFF: a tile of 900 MP": lambda: tiff_tile(29984, _megabyte()),
}
"""Files that take Pillow seconds or hundreds of megabytes. Each is refused at once."""

HARMLESS: dict[str, Callable[[], bytes]] = {
    "JPEG: EXIF of 1 MB in 2000 fields": lambda: jpeg_with(exif_segments(exif(2000, 1_000_000))),
    "JPEG: comments after the pixels": lambda: JPEG[:-2] + segment(0xFE, b"") * 2_000_000,
    "JPEG: fill bytes between the pixels": lambda: JPEG[:-2] + b"\xff" * BYTES + JPEG[-2:],
    "JPEG: 200 scans": lambda: scans(200),
    "JPEG: 12 MP in 30 scans": lambda: scans(30, 4000, 3000),
    "PNG: EXIF of 1 MB in 5000 fields": lambda: png(before=chunk(b"eXIf", exif(5000, 1_000_000))),
    "PNG: texts of 9 MB": lambda: png(before=chunk(b"tEXt", b"a\0" + b"x" * 60_000) * 150),
    "WebP: chunks": lambda: riff(webp_header(), *[(b"aaaa", b"")] * 1_000_000, WEBP_PIXELS),
    "WebP: frames": lambda: riff(
        webp_header(2),
        (b"ANIM", bytes(6)),
        *[(b"ANMF", bytes(6) + webp_header()[1][4:] + bytes(4) + WEBP[12:])] * 50_000,
    ),
    "WebP: EXIF of 1 MB in 5000 fields": lambda: riff(
        webp_header(8), WEBP_PIXELS, (b"EXIF", exif(5000, 1_000_000))
    ),
    "BMP: a code for each pixel": lambda: rle_bmp(
        1000, 1000, (b"\1\0" * 1000 + b"\0\0") * 1000 + b"\0\1"
    ),
}
"""Files that look similar and are harmless."""


def damaged(data: bytes, seed: int) -> Iterator[bytes]:
    """Yield copies of a file, truncated at many places or with some bits changed."""
    yield from (data[: len(data) * share // 40] for share in range(40))
    yield from (data[:size] for size in range(1, min(64, len(data))))
    chosen = random.Random(seed)  # noqa: S311  The same damage in every run.
    for _ in range(100):
        changed = bytearray(data)
        # Half of the changes are in the first bytes, which have the dimensions and lengths.
        reach = len(data) if chosen.random() < 0.5 else min(100, len(data))
        for _ in range(chosen.randint(1, 4)):
            changed[chosen.randrange(reach)] ^= 1 << chosen.randrange(8)
        yield bytes(changed)


ENCODED: dict[str, dict[str, object]] = {
    "JPEG": {},
    "progressive": {"progressive": True},
    "PNG": {},
    "WEBP": {"lossless": True},
    "GIF": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
}


def cases_of(kind: str) -> Iterator[tuple[str, bytes]]:
    """Return named files: the floods, the harmless files, or the damaged files of a format."""
    made = {"floods": FLOODS, "harmless": HARMLESS}.get(kind)
    if made is not None:
        yield from ((name, make()) for name, make in made.items())
        return
    file_format = "JPEG" if kind == "progressive" else kind
    data = encode(corners(320, 200), file_format, **ENCODED[kind])
    yield from ((f"{kind} {number}", case) for number, case in enumerate(damaged(data, seed=5)))
