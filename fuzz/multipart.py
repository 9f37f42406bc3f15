"""Target `multipart`: a form is refused, or its parts are read in order.

The input's first line is the Content-Type; the rest is the body.
"""

from __future__ import annotations

from itertools import count

from gateway.base64_text import BASE64_SIGNATURES, decode_picture_text
from gateway.errors import RequestError
from gateway.parts import FormFile, Part, S3Field, UrlField, parse_body

MAX_IMAGES = 8
MAX_URLS = 4
ENCODED = (b"base64", b"quoted-printable", b"data:", *map(bytes.lower, BASE64_SIGNATURES))
"""Marks of contents that are decoded, and therefore are not slices of the body."""
MAX_FILENAME_BYTES = 2000
"""A byte that is not UTF-8 becomes a character of three bytes, which may exceed the limit of a
header line."""


def check(data: bytes) -> None:
    """Parse one form, and fail unless it is refused by our errors or read correctly."""
    content_type, _, body = data.partition(b"\n")
    text = content_type.decode("utf-8", "surrogateescape")
    try:
        parts = parse(text, body)
    except RequestError:
        return
    assert 1 <= len(parts) <= MAX_IMAGES
    assert sum(isinstance(part, UrlField) for part in parts) <= MAX_URLS
    if text.lower().startswith("image/"):
        assert parts == [FormFile(decode_picture_text(body))]
    if not any(word in body.lower() for word in ENCODED) and "form-data" in text.lower():
        check_slices(parts, body)
    sendable = [with_sendable_name(part) for part in parts if not is_text_again(part)]
    if not sendable:
        return
    assert parse(*encoded(sendable)) == sendable


def parse(content_type: str, body: bytes) -> list[Part]:
    """Parse with low limits, which a fuzzer can reach."""
    return parse_body(content_type, body, max_images=MAX_IMAGES, max_urls=MAX_URLS).parts


def check_slices(parts: list[Part], body: bytes) -> None:
    """Check that every part's content is a piece of the body, and that the pieces are in order."""
    position = 0
    for part in parts:
        content = part.content if isinstance(part, FormFile) else part.url.encode()
        if not isinstance(part, FormFile) and "\ufffd" in part.url:
            continue  # The replacement character marks bytes that were not text.
        found = body.find(content, position)
        assert found >= 0, content
        position = found + len(content)


def with_sendable_name(part: Part) -> Part:
    """Return the part with a file name that has the same meaning in every dialect."""
    if not isinstance(part, FormFile):
        return part
    if part.filename is None:
        return FormFile(part.content)
    is_clear = not {"%", "\\"} & set(part.filename)
    if is_clear and len(part.filename.encode()) <= MAX_FILENAME_BYTES:
        return part
    return FormFile(part.content, "photo.jpg")


def is_text_again(part: Part) -> bool:
    """Return whether a decoded picture is itself a picture as text."""
    return isinstance(part, FormFile) and decode_picture_text(part.content) != part.content


def encoded(parts: list[Part]) -> tuple[str, bytes]:
    """Return Content-Type and body of a form with these parts, as a browser writes it."""
    contents = [p.content if isinstance(p, FormFile) else p.url.encode() for p in parts]
    boundary = next(
        text for text in map("b{}".format, count()) if not any(text.encode() in c for c in contents)
    )
    body = b"".join(
        f"--{boundary}\r\n{_disposition(part)}\r\n\r\n".encode() + content + b"\r\n"
        for part, content in zip(parts, contents, strict=True)
    )
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _disposition(part: Part) -> str:
    if not isinstance(part, FormFile):
        name = "s3" if isinstance(part, S3Field) else "url"
        return f'Content-Disposition: form-data; name="{name}"'
    if part.filename is None:
        return 'Content-Disposition: form-data; name="image"'
    # https://html.spec.whatwg.org/#multipart-form-data
    name = part.filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'Content-Disposition: form-data; name="image"; filename="{name}"'
