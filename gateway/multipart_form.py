"""Split multipart/form-data bodies into fields (RFC 7578, RFC 2046).

The whole body is in memory, so splitting is a search for the delimiter. Real clients deviate from
the RFCs; tests/gateway/test_multipart_form.py and test_dialects.py name the supported deviations:

- Lines end with CRLF or with LF, as the first delimiter's line does (as in Go's mime/multipart).
- White space may follow a delimiter, and a byte order mark may precede the first one.
- The end of the body ends the last part if the closing delimiter is missing or incomplete.
- Parts may have a transfer encoding or contain a nested multipart/mixed.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gateway.base64_text import decode_base64
from gateway.errors import MalformedBody, TooLarge
from gateway.parameters import disposition_text, parse_parameters, unescape

MAX_FIELDS = 128
"""Fields of a form, pictures included; browsers send one per form control."""

MAX_HEADER_BYTES = 4096
"""Bytes of a header line. A file name has at most 255 bytes, three times that when encoded."""

MAX_HEADERS = 8
"""Header lines of a part; folded lines count one by one. RFC 7578, section 4.8 defines three."""

MAX_NESTING = 2
"""Levels of multipart/mixed inside the form; RFC 2388 used one to group the files of a field."""

BOM = b"\xef\xbb\xbf"
DELIMITER_END = {
    b"\r\n": re.compile(rb"(--)|[ \t]*+(?:\r\n|\Z)|-\Z"),
    b"\n": re.compile(rb"(--)|[ \t]*+(?:\n|\Z)|-\Z"),
}
"""Bytes that may follow a delimiter, per line end. Group 1 marks the closing delimiter."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form, or the equivalent of another kind of body.

    Attributes:
        name: Field name, "" if the part has none.
        content: Decoded bytes.
        filename: File name as the client wrote it, None if there is none.
    """

    name: str
    content: bytes
    filename: str | None = None


def read_multipart(parameters: dict[str, str], body: bytes) -> list[FormField]:
    """Return all fields of a form in their order.

    Args:
        parameters: Parameters of the Content-Type, as `parse_parameters` returns them.
        body: Decoded request body.

    Raises:
        MalformedBody: The boundary is missing or not in the body, or a part has no headers.
        TooLarge: The form has too many fields or headers.
    """
    boundary = unescape(parameters.get("boundary", ""))
    if not boundary:
        raise MalformedBody(
            "The Content-Type has no boundary. Let the HTTP client set it instead of writing it."
        )
    fields: list[FormField] = []
    for field in _read_parts(boundary, body, "", MAX_NESTING):
        if len(fields) == MAX_FIELDS:
            raise TooLarge(f"The form has more than {MAX_FIELDS} fields. Send fewer.")
        fields.append(field)
    return fields


def _read_parts(boundary: str, body: bytes, group: str, nesting: int) -> Iterator[FormField]:
    """Yield the fields of a multipart body; `group` names parts without a name."""
    for headers, content in _split(boundary, body):
        disposition = headers.get("content-disposition")
        media_type, type_parameters = parse_parameters(headers.get("content-type", ""))
        if disposition is None and not group:
            raise MalformedBody("A part of the form has no Content-Disposition header.")
        _, parameters = parse_parameters(disposition or "")
        name = disposition_text(parameters, "name") or group
        if media_type == "multipart/mixed" and nesting:
            nested = unescape(type_parameters.get("boundary", ""))
            yield from _read_parts(nested, content, name, nesting - 1)
        else:
            filename = disposition_text(parameters, "filename")
            encoding = headers.get("content-transfer-encoding", "")
            yield FormField(name, _decode_transfer(encoding, content), filename)


def _decode_transfer(encoding: str, content: bytes) -> bytes:
    """Decode a part's transfer encoding (RFC 2045, section 6).

    Content that is not valid base64 is returned unchanged: it may be the picture itself.
    """
    match encoding.strip(" \t").lower():
        case "base64":
            decoded = decode_base64(content)
            return content if decoded is None else decoded
        case "quoted-printable":
            return binascii.a2b_qp(content)
        case _:
            return content


def _split(boundary: str, body: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield the headers and the encoded content of each part."""
    try:
        delimiter = b"--" + boundary.encode()
    except UnicodeEncodeError as error:
        raise MalformedBody("The boundary has invalid characters.") from error
    if not boundary or b"\n" in delimiter:
        raise MalformedBody("A boundary is empty or has line breaks.")
    found, newline = _first_delimiter(delimiter, body)
    while not found.is_last:
        start = found.end
        following = _next_delimiter(newline, delimiter, body, start)
        if following:
            found = following
            headers, content_start = _read_headers(newline, body, start, found.start)
            yield headers, body[content_start : found.start]
        elif body[start:].strip():
            headers, content_start = _read_headers(newline, body, start, len(body))
            yield headers, _without_closing(newline, delimiter, body[content_start:])
            return
        else:
            return


class _Delimiter(NamedTuple):
    """A delimiter line, from the line end before it to the line end after it."""

    start: int
    end: int
    is_last: bool


def _first_delimiter(delimiter: bytes, body: bytes) -> tuple[_Delimiter, bytes]:
    """Return the first delimiter and the line end of the form."""
    at = body.find(delimiter)
    while at >= 0:
        if body[max(0, at - 1) : at] in (b"", b"\n") or (at == len(BOM) and body.startswith(BOM)):
            for newline, pattern in DELIMITER_END.items():
                if match := pattern.match(body, at + len(delimiter)):
                    return _Delimiter(at, match.end(), bool(match[1])), newline
        at = body.find(delimiter, at + 1)
    raise MalformedBody(
        "The body does not contain the boundary of its Content-Type. "
        "Let the HTTP client write both, and send the form unchanged."
    )


def _next_delimiter(newline: bytes, delimiter: bytes, body: bytes, start: int) -> _Delimiter | None:
    """Return the delimiter after the part that starts at `start`, or None for the last part."""
    separator = newline + delimiter
    at = body.find(separator, start - len(newline))
    while at >= 0:
        if match := DELIMITER_END[newline].match(body, at + len(separator)):
            return _Delimiter(at, match.end(), bool(match[1]))
        at = body.find(separator, at + 1)
    return None


def _read_headers(newline: bytes, body: bytes, start: int, end: int) -> tuple[dict[str, str], int]:
    """Return the headers of the part at `body[start:end]`, and where its content starts.

    Names are in lower case. Values are decoded as UTF-8, which nearly all clients send.
    """
    if body.startswith(newline, start):
        return {}, start + len(newline)
    limit = start + MAX_HEADERS * (MAX_HEADER_BYTES + len(newline)) + len(newline)
    blank = body.find(2 * newline, start, min(end + len(newline), limit))
    if blank < 0 and end > limit:
        raise _headers_too_large()
    if blank < 0:
        raise MalformedBody("A part of the form has no empty line between headers and content.")
    lines: list[bytes] = []
    for line in body[start:blank].split(newline, MAX_HEADERS):
        if line.startswith((b" ", b"\t")) and lines:
            lines[-1] += line
        else:
            lines.append(line)
    if body.count(newline, start, blank) >= MAX_HEADERS or max(map(len, lines)) > MAX_HEADER_BYTES:
        raise _headers_too_large()
    headers = {}
    for line in lines:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon:
            raise MalformedBody("A part of the form has a header line without a colon.")
        headers[name.strip().lower()] = value.strip()
    return headers, blank + 2 * len(newline)


def _headers_too_large() -> TooLarge:
    return TooLarge(
        f"A part of the form has more than {MAX_HEADERS} header lines, or one of more than "
        f"{MAX_HEADER_BYTES} bytes. Send fewer or shorter headers."
    )


def _without_closing(newline: bytes, delimiter: bytes, content: bytes) -> bytes:
    """Remove a closing delimiter that does not start on its own line, or a last line end."""
    stripped = content.rstrip(b" \t\r\n")
    if stripped.endswith(delimiter + b"--"):
        return stripped[: -len(delimiter) - 2]
    return content.removesuffix(newline)
