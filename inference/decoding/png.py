"""The chunks of a PNG, which Pillow reads one by one in Python."""

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

PNG_END = b"IEND\xaeB`\x82"
"""Type and checksum of the last chunk, which is empty."""

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


def ends_with_last_chunk(data: bytes) -> bool:
    """Return whether the chunks fill the file and the last one ends it.

    OpenCV allocates the length that a chunk states, up to 4 GB, before it reads the chunk.

    Args:
        data: A file with a PNG signature that `check_chunks` has accepted.
    """
    position = SIGNATURE_BYTES
    while position + CHUNK.size <= len(data):
        length, kind = CHUNK.unpack_from(data, position)
        position += CHUNK.size + length + 4
        if kind == PNG_END[:4]:
            return position == len(data) and data.endswith(PNG_END)
    return False
