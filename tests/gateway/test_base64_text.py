from __future__ import annotations

import base64

import pytest

from gateway.base64_text import decode_base64, decode_picture_text

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\xfb\xff\xbe"
TEXT = base64.b64encode(JPEG)

TEXTS: dict[str, tuple[bytes, bytes]] = {
    "JPEG": (TEXT, JPEG),
    "JPEG in base64url": (base64.urlsafe_b64encode(JPEG), JPEG),
    "no padding": (TEXT.rstrip(b"="), JPEG),
    "wrapped": (TEXT[:8] + b"\r\n" + TEXT[8:] + b"\n", JPEG),
    "spaces for plus signs": (TEXT.replace(b"+", b" "), JPEG),
    "quotes of a JSON string": (b'"' + TEXT + b'"', JPEG),
    "str() of bytes in Python": (b"b'" + TEXT + b"'", JPEG),
    "PNG": (b"iVBORw0KGgo=", b"\x89PNG\r\n\x1a\n"),
    "GIF": (b"R0lGODlh", b"GIF89a"),
    "WebP": (b"UklGRgQAAABXRUJQ", b"RIFF\x04\0\0\0WEBP"),
    "BMP": (b"Qk02AAAA", b"BM6\0\0\0"),
    "TIFF": (b"SUkqAAgA", b"II*\0\x08\0"),
    "TIFF, big endian": (b"TU0AKgAA", b"MM\0*\0\0"),
    "HEIC": (b"AAAAGGZ0eXBoZWlj", b"\0\0\0\x18ftypheic"),
    "data URL": (b"data:image/jpeg;base64," + TEXT, JPEG),
    "data URL in capitals": (b" DATA:image/JPEG;charset=utf-8; BASE64," + TEXT, JPEG),
    "data URL without a media type": (b"data:;base64," + TEXT, JPEG),
    "data URL with escapes": (b"data:image/jpeg;base64,%2F9j%2F", b"\xff\xd8\xff"),
    "data URL without base64": (b"data:image/svg+xml,%3Csvg/%3E", b"<svg/>"),
}
UNCHANGED = {
    "empty": b"",
    "JPEG file": JPEG,
    "text": b"hello",
    "url": b"https://a.example/b.jpg",
    "base64 of text": b"aGVsbG8gd29ybGQ=",
    "broken base64 of a JPEG": b"/9j/!",
    "truncated base64": TEXT[:9],
    "data URL without data": b"data:image/jpeg;base64",
    "data URL with broken base64": b"data:image/jpeg;base64,/9j/!",
}


@pytest.mark.parametrize(("text", "file"), TEXTS.values(), ids=TEXTS)
def test_pictures_as_text_are_decoded(text: bytes, file: bytes) -> None:
    assert decode_picture_text(text) == file


@pytest.mark.parametrize("content", UNCHANGED.values(), ids=UNCHANGED)
def test_other_content_is_unchanged(content: bytes) -> None:
    assert decode_picture_text(content) == content


def test_declared_text_needs_no_signature() -> None:
    assert decode_picture_text(b"aGVsbG8=", is_text=True) == b"hello"
    assert decode_picture_text(b"https://a.example/b", is_text=True) == b"https://a.example/b"


def test_decode_base64_refuses_other_text() -> None:
    assert decode_base64(b"a") is None
    assert decode_base64(b"????") is None
