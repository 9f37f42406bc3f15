"""Decode Content-Encoding within a size limit (RFC 9110, section 8.4)."""

from __future__ import annotations

import zlib

CODINGS = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}
"""zlib's window parameter per coding; its sign and offset select the container format."""

GZIP_SIGNATURE = b"\x1f\x8b"
RAW_DEFLATE = -zlib.MAX_WBITS
"""Some senders of `deflate` omit the zlib container."""

MAX_CODINGS = 2
"""Codings of one body; senders that compress twice do so by mistake."""

MAX_MEMBERS = 100
"""Members of one gzip file. Parallel compressors write one per block."""


class UnknownCoding(Exception):
    """The Content-Encoding names a coding that is not supported."""


class InvalidCoding(Exception):
    """The content is not encoded as its Content-Encoding states."""


class DecodedTooLarge(Exception):
    """The decoded content exceeds the limit."""


def decode_content(content_encoding: str, content: bytes, max_bytes: int) -> bytes:
    """Return the decoded content.

    Args:
        content_encoding: Header value, a comma-separated list; "" if there is none.
        content: Encoded content.
        max_bytes: Maximum size of the decoded content in bytes, also between two codings.

    Raises:
        UnknownCoding: A coding is not gzip, deflate or identity.
        InvalidCoding: The content is damaged, truncated or not encoded.
        DecodedTooLarge: The decoded content exceeds `max_bytes`.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if len(codings) > MAX_CODINGS or any(coding not in CODINGS for coding in codings):
        raise UnknownCoding
    for coding in reversed(codings):
        try:
            content = _inflate(content, CODINGS[coding], max_bytes)
        except zlib.error as error:
            if coding != "deflate":
                raise InvalidCoding from error
            content = _inflate_raw(content, max_bytes)
    return content


def _inflate_raw(content: bytes, max_bytes: int) -> bytes:
    try:
        return _inflate(content, RAW_DEFLATE, max_bytes)
    except zlib.error as error:
        raise InvalidCoding from error


def _inflate(content: bytes, wbits: int, max_bytes: int) -> bytes:
    """Decompress all members of a gzip file, or one deflate stream."""
    decoded = bytearray()
    for _ in range(MAX_MEMBERS):
        decompressor = zlib.decompressobj(wbits)
        # One byte more than allowed shows that the limit is exceeded.
        decoded += decompressor.decompress(content, max_bytes - len(decoded) + 1)
        if len(decoded) > max_bytes:
            raise DecodedTooLarge
        if not decompressor.eof:
            raise InvalidCoding
        content = decompressor.unused_data
        if not content.startswith(GZIP_SIGNATURE):  # Padding, which decompressors ignore.
            return bytes(decoded)
    raise InvalidCoding
