"""What a PNG is made of, counted before Pillow looks at each of it in Python."""

from __future__ import annotations

from struct import Struct

from inference.errors import NotAnImage

MAX_CHUNKS = 20_000
"""Encoders write pixels in chunks of 8 KiB or more: 1,300 of them in 10 MB."""

MAX_COMPRESSED_CHUNKS = 50
"""Of colour profile and text. Each can make 1 MB of 1 kB, which takes Pillow 4 ms: 10 MB of them
took it 40 s."""

SIGNATURE_BYTES = 8
CHUNK = Struct(">L4s")
"""Length and type; the data and 4 bytes of checksum follow: PNG, third edition, section 5.3."""

COMPRESSED = frozenset({b"iCCP", b"iTXt", b"zTXt"})


def check_chunks(data: bytes) -> None:
    """Refuse a file whose chunks would take seconds to read, whatever is in them.

    Args:
        data: A PNG, by its first bytes.

    Raises:
        NotAnImage: There are too many chunks, of all or of the compressed ones.
    """
    position = SIGNATURE_BYTES
    compressed = 0
    for _ in range(MAX_CHUNKS):
        if position + CHUNK.size > len(data):
            return  # Cut off, which the decoder finds too.
        length, kind = CHUNK.unpack_from(data, position)
        compressed += kind in COMPRESSED
        if compressed > MAX_COMPRESSED_CHUNKS:
            raise NotAnImage(
                f"The PNG has more than {MAX_COMPRESSED_CHUNKS} texts and colour profiles: "
                "save it anew."
            )
        position += CHUNK.size + length + 4
    raise NotAnImage(f"The PNG has more than {MAX_CHUNKS} chunks: save it anew.")
