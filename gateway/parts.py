"""A decoded body -> the ordered parts to be answered.

`multipart/form-data` is RFC 7578; the parser is `multipart` by Marcel Hellkamp (docs/decisions.md
tells how it was chosen). The parameters of its header fields are read by `gateway.parameters`,
which knows more of what clients write.
"""

from __future__ import annotations

from dataclasses import dataclass

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)

from gateway.errors import MalformedBody, NoImage, TooLarge, UnsupportedMediaType
from gateway.parameters import disposition_text, parse_parameters, unescape

MAX_FIELDS = 128
"""Fields of any name: a form may carry others beside its pictures, but not without end."""

MAX_HEADER_BYTES = 4096
"""One header line of a part: a file name has at most 255 bytes, three times that when encoded."""

MAX_HEADERS = 8
"""Header lines of a part, folded ones counted one by one: RFC 7578, section 4.8 knows three."""


@dataclass(frozen=True, slots=True)
class FormFile:
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


@dataclass(frozen=True, slots=True)
class S3Field:
    """A picture that was sent to the stack's bucket before (`gateway.upload_bucket`).

    Attributes:
        url: ``s3://bucket/key`` as the client wrote it, without surrounding white space.
    """

    url: str


Part = FormFile | UrlField | S3Field


def parse_parts(content_type: str, body: bytes, *, max_images: int, max_urls: int) -> list[Part]:
    """The `image`, `url` and `s3` parts of a body, in their order.

    Args:
        content_type: The request's Content-Type; `image/*` makes the body one picture.
        body: The decoded body.
        max_images: Most pictures, whatever their fields.
        max_urls: Most urls.

    Raises:
        UnsupportedMediaType: The type is neither multipart/form-data nor image/*.
        MalformedBody: The boundary is missing, or the body is not complete, valid multipart.
        NoImage: No part is an `image`, a `url` or an `s3`.
        TooLarge: There are more parts than the limits allow.
    """
    media_type, parameters = parse_parameters(content_type)
    if media_type.startswith("image/"):
        return [FormFile(body)]
    if media_type != "multipart/form-data":
        raise UnsupportedMediaType(
            f"Content-Type {content_type[:80]!r} is not supported: "
            "send multipart/form-data with image, url or s3 fields, or one picture as image/*."
        )
    boundary = unescape(parameters.get("boundary", ""))
    if not boundary:
        raise MalformedBody(
            "The Content-Type has no boundary: let the HTTP client set it, do not write it by hand."
        )
    parts: list[Part] = []
    other_names: list[str] = []
    for name, filename, content in _read_form(boundary, body):
        if name == "image":
            parts.append(FormFile(content, filename))
        elif name == "url":
            parts.append(UrlField(_text(content)))
        elif name == "s3":
            parts.append(S3Field(_text(content)))
        else:
            other_names.append(name)
    _check_counts(parts, other_names, max_images=max_images, max_urls=max_urls)
    return parts


class _Parser(PushMultipartParser):  # type: ignore[misc]  # The library is not typed.
    """Counts the lines of a part's header as they are sent.

    The library joins folded lines (RFC 822) before it counts, which thousands of lines of two
    characters make slow: 4.4 MB of them took 5 s.
    """

    _header_lines = 0

    def _on_segment_headerline(self, line: bytes) -> None:
        self._header_lines += 1
        if self._header_lines > MAX_HEADERS:
            raise ParserLimitReached("Maximum segment header count exceeded")
        super()._on_segment_headerline(line)

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> MultipartSegment:
        self._header_lines = 0
        return super()._create_segment(headerlist)


def _read_form(boundary: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    """Name, file name and content of every field."""
    fields: list[tuple[str, str | None, bytes]] = []
    name = ""
    filename: str | None = None
    chunks: list[bytes | bytearray] = []
    try:
        with _Parser(
            boundary,
            max_header_size=MAX_HEADER_BYTES,
            max_header_count=MAX_HEADERS,
            max_segment_count=MAX_FIELDS,
            header_charset="latin-1",
        ) as parser:
            for event in parser.parse(_with_crlf(boundary, body)):
                if isinstance(event, MultipartSegment):
                    name, filename = _names(event)
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
        raise MalformedBody(
            f"The body is not complete, valid multipart/form-data ({error})."
        ) from error
    return fields


def _with_crlf(boundary: str, body: bytes) -> bytes:
    """The form with the line ends that RFC 2046 asks for; contents stay as they are.

    Forms that were written by hand or by scripts end their lines with LF alone. As in Go's
    mime/multipart, the end of the first boundary's line tells which ones a form has: it can't
    have both, so no content can be taken for a boundary that its sender did not mean as one.
    """
    delimiter = b"--" + boundary.encode()
    start = body.find(delimiter)
    end = start + len(delimiter)
    if (
        start < 0
        or body[max(0, start - 1) : start] not in (b"", b"\n")
        or body[end : end + 1] != b"\n"
    ):
        return body
    crlf = []
    for part in body[end:].split(b"\n" + delimiter, MAX_FIELDS):
        header, blank_line, content = part.partition(b"\n\n")
        crlf.append(header.replace(b"\n", b"\r\n") + blank_line.replace(b"\n", b"\r\n") + content)
    return delimiter + (b"\r\n" + delimiter).join(crlf)


def _names(segment: MultipartSegment) -> tuple[str, str | None]:
    """A field's name, "" where it has none, and its file name."""
    disposition = next(
        value for name, value in reversed(segment.headerlist) if name == "Content-Disposition"
    )
    # As nearly every client means it, read from bytes that may be anything: read as Latin-1 no
    # header can fail, and curl on Windows sends file names in the local code page.
    _, parameters = parse_parameters(disposition.encode("latin-1").decode("utf-8", "replace"))
    return disposition_text(parameters, "name") or "", disposition_text(parameters, "filename")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").strip()


def _check_counts(
    parts: list[Part], other_names: list[str], *, max_images: int, max_urls: int
) -> None:
    if not parts:
        sent = ", ".join(repr(name[:40]) for name in other_names[:10]) or "none"
        raise NoImage(f"The form has no image, url or s3 field. Fields sent: {sent}.")
    if len(parts) > max_images:
        raise TooLarge(f"{len(parts)} pictures in one request, the limit is {max_images}.")
    urls = sum(isinstance(part, UrlField) for part in parts)
    if urls > max_urls:
        raise TooLarge(f"{urls} urls in one request, the limit is {max_urls}.")
