"""Decode Content-Encoding within a size limit (RFC 9110, section 8.4)."""

from __future__ import annotations

import zlib
from contextlib import suppress

IDENTITY = frozenset({"", "identity", "aws-chunked"})
"""Codings that change nothing. S3 stores aws-chunked, which describes only the upload."""

GZIP = 16 + zlib.MAX_WBITS
GZIP_SIGNATURE = b"\x1f\x8b"
DEFLATE = (zlib.MAX_WBITS, -zlib.MAX_WBITS)
"""zlib's window parameters for `deflate` with and without the zlib container, which some omit."""

MAX_CODINGS = 2
"""Codings of one body; senders that compress twice do so by mistake."""

MAX_MEMBERS = 100
"""Members of one gzip file. Parallel compressors write one per block."""


class UnknownCoding(Exception):
    """The Content-Encoding names a coding that is not supported."""


class InvalidCoding(Exception):
    """The content is damaged or truncated."""


class DecodedTooLarge(Exception):
    """The decoded content exceeds the limit."""


def decode_content(content_encoding: str, content: bytes, max_bytes: int) -> bytes:
    """Return the decoded content.

    Content without the signature of its coding is returned unchanged: an API gateway or a proxy
    has decoded it already, but has kept the header.

    Args:
        content_encoding: Header value, a comma-separated list; "" if there is none.
        content: Encoded content.
        max_bytes: Maximum size of the decoded content in bytes, also between two codings.

    Raises:
        UnknownCoding: A coding is not gzip, deflate or identity.
        InvalidCoding: The content is damaged or truncated.
        DecodedTooLarge: The decoded content exceeds `max_bytes`.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding not in IDENTITY]
    if len(codings) > MAX_CODINGS or not {"gzip", "x-gzip", "deflate"}.issuperset(codings):
        raise UnknownCoding
    for coding in reversed(codings):
        if coding == "deflate":
            content = _decode_deflate(content, max_bytes)
        elif content.startswith(GZIP_SIGNATURE):
            content = _decode_gzip(content, max_bytes)
    return content


def _decode_gzip(content: bytes, max_bytes: int) -> bytes:
    decoded = bytearray()
    for _ in range(MAX_MEMBERS):
        try:
            member, content = _inflate(content, GZIP, max_bytes - len(decoded))
        except zlib.error as error:
            raise InvalidCoding from error
        decoded += member
        if not content.startswith(GZIP_SIGNATURE):  # The end, or padding, which gzip ignores.
            return bytes(decoded)
    raise InvalidCoding


def _decode_deflate(content: bytes, max_bytes: int) -> bytes:
    for wbits in DEFLATE:
        with suppress(zlib.error):
            return _inflate(content, wbits, max_bytes)[0]
    return content


def _inflate(content: bytes, wbits: int, max_bytes: int) -> tuple[bytes, bytes]:
    """Return the decompressed data and the bytes after its end."""
    decompressor = zlib.decompressobj(wbits)
    # One byte more than allowed shows that the limit is exceeded.
    decoded = decompressor.decompress(content, max_bytes + 1)
    if len(decoded) > max_bytes:
        raise DecodedTooLarge
    if not decompressor.eof:
        raise InvalidCoding
    return decoded, decompressor.unused_data
