"""Bounds of a PNG's chunks, which Pillow reads one by one in Python."""

from __future__ import annotations

from struct import Struct

from inference.errors import NotAnImage

MAX_CHUNKS = 20_000
"""Chunks per file. Encoders write pixels in chunks of 8 KiB or more, 1,300 of them in 10 MB."""

MAX_COMPRESSED_CHUNKS = 50
"""Compressed chunks per file (color profile, text). Each can expand 1 kB to 1 MB, which takes 4 ms:
a file of 10 MB took 40 s."""

SIGNATURE_BYTES = 8
CHUNK = Struct(">L4s")
"""Length and type; the data and 4 bytes of checksum follow: PNG, third edition, section 5.3."""

COMPRESSED = frozenset({b"iCCP", b"iTXt", b"zTXt"})


def check_chunks(data: bytes) -> None:
    """Refuse a file whose chunks take seconds to read.

    Args:
        data: A file with a PNG signature.

    Raises:
        NotAnImage: The file has too many chunks, or too many compressed ones.
    """
    position = SIGNATURE_BYTES
    compressed = 0
    for _ in range(MAX_CHUNKS):
        if position + CHUNK.size > len(data):
            return  # Truncated; the decoder reports it.
        length, kind = CHUNK.unpack_from(data, position)
        compressed += kind in COMPRESSED
        if compressed > MAX_COMPRESSED_CHUNKS:
            raise NotAnImage(
                f"The PNG has more than {MAX_COMPRESSED_CHUNKS} texts and color profiles. "
                "Save it again without them and retry."
            )
        position += CHUNK.size + length + 4
    raise NotAnImage(f"The PNG has more than {MAX_CHUNKS} chunks. Save it again and retry.")
