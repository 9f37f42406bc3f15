"""A decoded body -> the ordered parts to be answered.

`multipart/form-data` is RFC 7578; the parser is `multipart` by Marcel Hellkamp, which takes
every dialect that mainstream clients write (docs/decisions.md tells how it was chosen).
"""

from __future__ import annotations

from dataclasses import dataclass

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from gateway.errors import MalformedBody, NoImage, TooLarge, UnsupportedMediaType

MAX_FIELDS = 128
"""Fields of any name: a form may carry others beside its pictures, but not without end."""

MAX_HEADER_BYTES = 4096
"""One header line of a part: a file name has at most 255 bytes, three times that when encoded."""

MAX_HEADERS = 8
"""Header lines of a part: RFC 7578, section 4.8 knows three."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that came with the request.

    Attributes:
        content: The file's bytes.
        filename: As the client named it, None where it did not.
    """

    content: bytes
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class UrlField:
    """A picture that is to be fetched.

    Attributes:
        url: As the client wrote it, without surrounding white space.
    """

    url: str


Part = Upload | UrlField


def parse_parts(content_type: str, body: bytes, *, max_images: int, max_urls: int) -> list[Part]:
    """The `image` and `url` parts of a body, in their order.

    Args:
        content_type: The request's Content-Type; `image/*` makes the body one picture.
        body: The decoded body.
        max_images: Most pictures, uploads and urls together.
        max_urls: Most urls.

    Raises:
        UnsupportedMediaType: The type is neither multipart/form-data nor image/*.
        MalformedBody: The boundary is missing, or the body is not complete, valid multipart.
        NoImage: No part is an `image` or a `url`.
        TooLarge: There are more parts than the limits allow.
    """
    media_type, parameters = parse_options_header(content_type)
    if media_type.startswith("image/"):
        return [Upload(body)]
    if media_type != "multipart/form-data":
        raise UnsupportedMediaType(
            f"Content-Type {content_type[:80]!r} is not supported: "
            "send multipart/form-data with image or url fields, or one picture as image/*."
        )
    boundary = parameters.get("boundary", "")
    if not boundary:
        raise MalformedBody(
            "The Content-Type has no boundary: let the HTTP client set it, do not write it by hand."
        )
    parts: list[Part] = []
    other_names: list[str] = []
    for name, filename, content in _read_form(boundary, body):
        if name == "image":
            parts.append(Upload(content, filename))
        elif name == "url":
            parts.append(UrlField(content.decode("utf-8", "replace").strip()))
        else:
            other_names.append(name)
    _check_counts(parts, other_names, max_images=max_images, max_urls=max_urls)
    return parts


def _read_form(boundary: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    """Name, file name and content of every field."""
    fields: list[tuple[str, str | None, bytes]] = []
    name = ""
    filename: str | None = None
    chunks: list[bytes | bytearray] = []
    try:
        with PushMultipartParser(
            boundary,
            max_header_size=MAX_HEADER_BYTES,
            max_header_count=MAX_HEADERS,
            max_segment_count=MAX_FIELDS,
            header_charset="latin-1",
        ) as parser:
            for event in parser.parse(body):
                if isinstance(event, MultipartSegment):
                    name = _as_utf8(event.name or "")
                    filename = None if event.filename is None else _as_utf8(event.filename)
                    chunks = []
                elif event is None:
                    fields.append((name, filename, b"".join(chunks)))
                else:
                    chunks.append(event)
    except ParserLimitReached as error:
        raise TooLarge(
            f"The form is over a limit ({error}): at most {MAX_FIELDS} fields, each with at most "
            f"{MAX_HEADERS} header lines of {MAX_HEADER_BYTES} bytes."
        ) from error
    except (MultipartError, UnicodeError) as error:
        raise MalformedBody("The body is not complete, valid multipart/form-data.") from error
    return fields


def _as_utf8(text: str) -> str:
    """A name as nearly every client means it, read from bytes that may be anything.

    Read as Latin-1 no header can fail; curl on Windows sends file names in the local code page.
    """
    return text.encode("latin-1").decode("utf-8", "replace")


def _check_counts(
    parts: list[Part], other_names: list[str], *, max_images: int, max_urls: int
) -> None:
    if not parts:
        sent = ", ".join(repr(name[:40]) for name in other_names[:10]) or "none"
        raise NoImage(f"The form has no image or url field. Fields sent: {sent}.")
    if len(parts) > max_images:
        raise TooLarge(f"{len(parts)} pictures in one request, the limit is {max_images}.")
    urls = sum(isinstance(part, UrlField) for part in parts)
    if urls > max_urls:
        raise TooLarge(f"{urls} urls in one request, the limit is {max_urls}.")
