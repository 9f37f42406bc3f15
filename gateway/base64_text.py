"""Decode pictures that clients send as text: base64 and data URLs."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pybase64

BASE64_SIGNATURES = (
    b"/9j/",  # JPEG
    b"_9j_",  # JPEG in base64url
    b"iVBORw0KGgo",  # PNG
    b"R0lGOD",  # GIF
    b"UklGR",  # WebP
    b"SUkqA",  # TIFF, little endian
    b"TU0AK",  # TIFF, big endian
    *(b"Qk%d" % digit for digit in range(4)),  # BMP
    b"AAAA",  # HEIC, AVIF and videos
)
"""First characters of pictures in base64. No picture file starts with these bytes."""

DATA_URL = b"data:"
STRIPPED = b" \t\r\n\"'\xef\xbb\xbf"
"""White space, quotes of a JSON string and the byte order mark; no base64 character."""

TO_STANDARD = bytes.maketrans(b"-_ ", b"+/+")
"""Maps base64url to base64. A space is a plus sign that a form decoder has converted."""


def decode_picture_text(content: bytes, *, is_text: bool = False) -> bytes:
    """Return the file in base64 text or a data URL; other content is returned unchanged.

    Args:
        content: What the client sent as a picture.
        is_text: True if the content must be text, as in JSON. Otherwise base64 text is recognized
            by the signature of its picture, so that no picture file is mistaken for text.

    Example:
        >>> decode_picture_text(b"data:image/gif;base64,R0lGODlh")
        b'GIF89a'
    """
    start = content[:64].lstrip(STRIPPED).removeprefix(b"b'")
    if start[: len(DATA_URL)].lower() == DATA_URL:
        decoded = _decode_data_url(content.strip(STRIPPED))
    elif is_text or start.startswith(BASE64_SIGNATURES):
        # Python's str(bytes) writes b'...'.
        decoded = decode_base64(content.strip(STRIPPED).removeprefix(b"b'"))
    else:
        return content
    return content if decoded is None else decoded


def decode_base64(text: bytes) -> bytes | None:
    """Decode base64 or base64url, wrapped or not, padded or not; return None if it is neither."""
    text = text.strip()
    if b"%" in text:
        text = unquote_to_bytes(text)
    text = text.translate(TO_STANDARD, delete=b"\r\n\t").rstrip(b"=")
    try:
        return pybase64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:  # Includes binascii.Error.
        return None


def _decode_data_url(url: bytes) -> bytes | None:
    """Decode a data URL (RFC 2397); return None if it is malformed."""
    header, comma, data = url.partition(b",")
    if not comma:
        return None
    is_base64 = header.replace(b" ", b"").lower().endswith(b";base64")
    return decode_base64(data) if is_base64 else unquote_to_bytes(data)
