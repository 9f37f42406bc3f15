"""Valid pictures that take a decoder long: few bytes for many pixels, and many bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from PIL import Image

ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column and row, and steps, of each pass of an interlaced PNG (third edition, 8.1)."""
PAETH = 4
"""The slowest filter of a PNG's rows."""
TILE = 64
"""Side of the noise that is repeated: decoders copy it, and then undo all their filters."""
RUN_BITS = 14
"""Bits of the longest run of empty blocks in a progressive scan (T.81, G.1.2.2)."""


def flat(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return a picture of one colour."""
    return Image.new("RGBA", (width, height), (128, 120, 110, 128)).convert(mode)


def repeated(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return a small square of noise, repeated."""
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 256, (TILE, TILE, 4), dtype=np.uint8)
    times = (-(-height // TILE), -(-width // TILE), 1)
    return Image.fromarray(np.tile(tile, times)[:height, :width]).convert(mode)


def soft(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return smooth shapes with a little noise, as in a photograph."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (-(-height // 8), -(-width // 8), 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    grain = rng.integers(-1, 2, smooth.shape)
    return Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).convert(mode)


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return noise, which has the most bytes per pixel."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def dense(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return noise that can be compressed a little, so that no encoder stores it as it is."""
    pixels = np.random.default_rng(0).integers(0, 160, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    """Return an image file."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def empty_png(
    width: int, height: int, *, bits: int = 16, color: int = 6, interlaced: bool
) -> bytes:
    """Return a PNG of zeros, with the slowest filter in every row.

    Args:
        width: Pixels.
        height: Pixels.
        bits: Bits per sample.
        color: Colour type: 0 gray, 2 RGB, 6 RGBA.
        interlaced: True for the seven passes of Adam7.
    """
    samples = {0: 1, 2: 3, 6: 4}[color]
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    compressor = zlib.compressobj(9)
    pixels = b""
    for left, top, step_x, step_y in passes:
        columns, rows = -(-(width - left) // step_x), -(-(height - top) // step_y)
        row = bytes([PAETH]) + bytes(-(-columns * samples * bits // 8))
        pixels += compressor.compress(row * rows) if columns > 0 else b""
    pixels += compressor.flush()
    header = struct.pack(">LLBBBBB", width, height, bits, color, 0, 0, interlaced)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">L", zlib.crc32(kind + content))
    return struct.pack(">L", len(content)) + kind + content + checksum


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def empty_jpeg(
    width: int, height: int, *, components: int = 3, scans: int = 1, is_damaged: bool = False
) -> bytes:
    """Return a progressive JPEG whose scans are runs of empty blocks: about 80 bytes per scan.

    Args:
        width: Pixels.
        height: Pixels.
        components: 1 gray, 3 colour, 4 CMYK.
        scans: Number of scans, each of one component.
        is_damaged: True to leave the runs out, so that both JPEG decoders read the file.
    """
    frame = struct.pack(">BHHB", 8, height, width, components)
    frame += b"".join(bytes([number + 1, 0x11, 0]) for number in range(components))
    table = b"\x10\x01" + bytes(15) + bytes([RUN_BITS << 4])
    runs = -(-(-(-width // 8) * -(-height // 8)) // ((2 << RUN_BITS) - 1))
    bits = ("0" + "1" * RUN_BITS) * runs
    bits += "1" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
    quantization = segment(0xDB, b"\0" + b"\x01" * 64)
    data = b"\xff\xd8" + quantization + segment(0xC2, frame) + segment(0xC4, table)
    for number in range(scans):
        data += segment(0xDA, bytes([1, number % components + 1, 0, 1, 63, 0]))
        data += b"" if is_damaged else body
    return data + b"\xff\xd9"


def damaged_jpeg(width: int, height: int) -> bytes:
    """Return a baseline JPEG without pixels, so that both JPEG decoders read it."""
    data = encode(flat(width, height), "JPEG", subsampling=0)
    start = data.index(b"\xff\xda")
    return data[: start + 2 + int.from_bytes(data[start + 2 : start + 4])] + b"\xff\xd9"


def refined_jpeg(width: int, height: int, *, components: int, scans: int) -> bytes:
    """Return a progressive JPEG whose scans refine the first coefficient of every block.

    libjpeg reads a bit per block, even after the end of a scan's data.
    """
    data = empty_jpeg(width, height, components=components, is_damaged=True)
    start = data.index(b"\xff\xda")
    selected = b"".join(bytes([number + 1, 0]) for number in range(components))
    scan = segment(0xDA, bytes([components]) + selected + bytes([0, 0, 0x10]))
    first = segment(0xDA, bytes([components]) + selected + bytes([0, 0, 1]))
    codes = segment(0xC4, b"\x00\x01" + bytes(16))
    return data[:start] + codes + first + scan * (scans - 1) + data[-2:]


def rle_bmp(width: int, height: int, codes: bytes) -> bytes:
    """Return a run-length encoded BMP."""
    offset = 14 + 40 + 4
    header = struct.pack("<2sIHHI", b"BM", offset + len(codes), 0, 0, offset)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(codes), 0, 0, 1, 0)
    return header + info + b"\xff\x00\x00\x00" + codes


Make = Callable[[int, int], bytes]
"""Returns a file of this width and height."""

Painted = Callable[[int, int, str], Image.Image]


def _made(painted: Painted, file_format: str, mode: str = "RGB", /, **options: object) -> Make:
    def make(width: int, height: int) -> bytes:
        return encode(painted(width, height, mode), file_format, **options)

    return make


def _with_restarts(width: int, height: int) -> bytes:
    return encode(noise(width, height), "JPEG", quality=95, restart_marker_blocks=1)


TIFF_COMPRESSIONS: Mapping[str, tuple[str, str]] = {
    "TIFF 1": ("raw", "RGB"), "TIFF 4": ("group4", "1"), "TIFF 5": ("tiff_lzw", "RGB"),
    "TIFF 7": ("jpeg", "RGB"), "TIFF 8": ("tiff_adobe_deflate", "RGB"),
    "TIFF 32773": ("packbits", "RGB"), "TIFF 34925": ("lzma", "RGB"), "TIFF 50000": ("zstd", "RGB"),
}  # fmt: skip
"""Row of the table -> Pillow's name of the compression, and the mode that it is measured with."""

SMALL: Mapping[str, tuple[Make, ...]] = {
    "JPEG": (_made(flat, "JPEG"), _made(flat, "JPEG", subsampling=0), damaged_jpeg),
    "JPEG CMYK": (_made(flat, "JPEG", "CMYK"),),
    "JPEG scans": tuple(
        partial(empty_jpeg, components=components, is_damaged=is_damaged)
        for components in (1, 3, 4)
        for is_damaged in (False, True)
    ),
    "PNG": tuple(
        partial(empty_png, bits=bits, color=color, interlaced=interlaced)
        for bits, color in ((1, 0), (8, 2))
        for interlaced in (False, True)
    ),
    "PNG deep": tuple(
        partial(empty_png, bits=bits, color=color, interlaced=interlaced)
        for bits, color in ((8, 6), (16, 0), (16, 2), (16, 6))
        for interlaced in (False, True)
    ),
    "WEBP": (_made(flat, "WEBP"), _made(repeated, "WEBP", quality=1)),
    "WEBP lossless": tuple(
        _made(painted, "WEBP", mode, lossless=True, method=method)
        for painted in (flat, repeated)
        for mode in ("RGB", "RGBA")
        for method in (0, 4)
    ),
    "GIF": (_made(flat, "GIF", "P"), _made(repeated, "GIF", "P")),
    "BMP": (_made(flat, "BMP"), _made(flat, "BMP", "P"), _made(flat, "BMP", "1")),
    "BMP RLE": (
        lambda width, height: rle_bmp(
            width, height, (b"\xff\1" * (width // 255) + bytes([width % 255, 1, 0, 0])) * height
        ),
    ),
    **{
        row: tuple(
            _made(painted, "TIFF", mode, compression=compression)
            for painted in (flat, repeated, soft, dense)
        )
        for row, (compression, mode) in TIFF_COMPRESSIONS.items()
    },
    "AVIF": (
        _made(flat, "AVIF", speed=10),
        _made(soft, "AVIF", quality=1, speed=10),
        _made(soft, "AVIF", quality=1, speed=10, subsampling="4:4:4"),
        _made(flat, "AVIF", "RGBA", speed=10),
    ),
}
"""Row of the table -> files with few bytes per pixel. A TIFF's strips can share their bytes, so a
TIFF has few bytes whatever its pixels are."""

LARGE: Mapping[str, tuple[Make, ...]] = {
    "JPEG": (_made(noise, "JPEG", quality=95), _with_restarts),
    "JPEG CMYK": (_made(noise, "JPEG", "CMYK"),),
    "JPEG scans": (
        _made(soft, "JPEG", progressive=True),
        _made(noise, "JPEG", progressive=True, quality=95),
    ),
    "PNG": (_made(soft, "PNG"), _made(dense, "PNG")),
    "PNG deep": (_made(soft, "PNG", "RGBA"), _made(dense, "PNG", "RGBA")),
    "WEBP": (_made(soft, "WEBP", method=0), _made(noise, "WEBP", method=0)),
    "WEBP lossless": (
        _made(soft, "WEBP", lossless=True, method=0),
        _made(noise, "WEBP", lossless=True, method=0),
    ),
    "GIF": (_made(noise, "GIF", "P"),),
    "BMP RLE": (
        lambda width, height: rle_bmp(width, height, (b"\1\0" * width + b"\0\0") * height),
        lambda width, height: rle_bmp(width, height, b"\0\2\0\0" * (width * height // 2)),
    ),
    "AVIF": (_made(soft, "AVIF", speed=10), _made(noise, "AVIF", speed=10, quality=95)),
}
"""Row of the table -> files with many bytes per pixel."""


def scanned(width: int, height: int, scans: int) -> Iterator[bytes]:
    """Yield JPEGs whose time beyond that of their pixels is the time of their scans."""
    for components in (1, 3):
        for is_damaged in (False, True):
            yield empty_jpeg(
                width, height, components=components, scans=scans, is_damaged=is_damaged
            )
        yield refined_jpeg(width, height, components=components, scans=scans)
