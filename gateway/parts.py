"""Read the pictures and options of a request body, whatever its media type."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from gateway.base64_text import decode_picture_text
from gateway.errors import (
    MalformedBody,
    NoImage,
    NotAPicture,
    PartError,
    TooLarge,
    UnsupportedMediaType,
)
from gateway.json_body import read_json
from gateway.multipart_form import MAX_FIELDS, FormField, read_multipart
from gateway.options import OPTION_NAMES
from gateway.parameters import parse_parameters

FORM_TYPE = "multipart/form-data"
URLENCODED_TYPE = "application/x-www-form-urlencoded"
JSON_TYPES = ("application/json", "text/json")
FILE_TYPES = ("application/octet-stream", "binary/octet-stream")
"""Media types of a raw picture, besides image/*."""

FILE_NAMES = frozenset({"image", "images", "file", "files"})
URL_NAMES = frozenset({"url", "urls"})
INDEX = re.compile(r"\[[^\]]*\]\Z")
"""The brackets that clients add to the names of arrays: image[], image[0]."""

INVISIBLE = (
    " \t\r\n\f\v\x00\x1f\xa0\xad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a"
    "\u202b\u202c\u202d\u202e\u202f\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u3000\ufeff"
)
"""White space and invisible characters, which come with copied text."""

REPLACEMENT = "\ufffd".encode()
CHUNK_BYTES = 1 << 16
DATA_URL = "data:"
MAX_LISTED = 10
"""Names of unused fields in an answer."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A picture in the request.

    Attributes:
        content: Bytes of the file.
        filename: File name as the client wrote it, None if there is none.
        error: Reason why the file is unusable, None if it may be decoded.
        field: Kind of field that had the file: image, or url for a data URL.
    """

    content: bytes
    filename: str | None = None
    error: PartError | None = field(default=None, compare=False)
    field: str = "image"


@dataclass(frozen=True, slots=True)
class UrlField:
    """A picture to fetch.

    Attributes:
        url: Url as the client wrote it, without surrounding white space.
    """

    url: str


@dataclass(frozen=True, slots=True)
class S3Field:
    """A picture in the upload bucket (`gateway.upload_bucket`).

    Attributes:
        url: ``s3://bucket/key`` as the client wrote it, without surrounding white space.
    """

    url: str


Part = FormFile | UrlField | S3Field


@dataclass(frozen=True, slots=True)
class Form:
    """Everything a request body contains.

    Attributes:
        parts: Pictures in the order of the body.
        options: Options by name, as text; the last of repeated options wins.
        ignored: Names of the fields that are neither pictures nor options.
    """

    parts: list[Part]
    options: Mapping[str, str]
    ignored: list[str]


def parse_body(content_type: str, body: bytes, *, max_images: int, max_urls: int) -> Form:
    """Return the pictures and options of a body.

    Args:
        content_type: Content-Type of the request: multipart/form-data, a url-encoded form, JSON,
            or the media type of a raw picture.
        body: Decoded body.
        max_images: Maximum number of pictures, fetched ones included.
        max_urls: Maximum number of urls.

    Raises:
        UnsupportedMediaType: The media type is not supported.
        MalformedBody: The body does not have the format of its media type.
        NoImage: The body contains no picture.
        TooLarge: The body contains too many fields, pictures or urls.
    """
    media_type, parameters = parse_parameters(content_type)
    if media_type == FORM_TYPE:
        fields = read_multipart(parameters, body)
    elif media_type == URLENCODED_TYPE:
        fields = _read_urlencoded(body)
    elif media_type in JSON_TYPES or media_type.endswith("+json"):
        fields = read_json(body)
    elif media_type.startswith("image/") or media_type in FILE_TYPES:
        fields = [FormField("image", body)]
    elif (picture := decode_picture_text(body)) != body:  # As fetch() sends a data URL.
        fields = [FormField("image", picture)]
    else:
        raise UnsupportedMediaType(
            f"Content-Type {content_type[:80]!r} is not supported. Send {FORM_TYPE} with image, "
            f"url or s3 fields, one picture as image/*, {URLENCODED_TYPE}, or application/json."
        )
    form = _sort(fields, content_type)
    _check_counts(form, max_images=max_images, max_urls=max_urls)
    return form


def ignored_parts(names: Iterable[str]) -> dict[str, str]:
    """Return the `X-Ignored-Parts` header, or no header if every field was used.

    Example:
        >>> ignored_parts(["comment", "été"])
        {'X-Ignored-Parts': 'comment, %C3%A9t%C3%A9'}
    """
    shown = [quote(name[:40], safe="[]() ") if name else "(unnamed)" for name in names]
    return {"X-Ignored-Parts": _join(shown)} if shown else {}


def _sort(fields: list[FormField], content_type: str) -> Form:
    form = Form([], options := {}, [])
    for each in fields:
        name = INDEX.sub("", each.name)
        if name in FILE_NAMES:
            form.parts.append(_file(each, content_type))
        elif name in URL_NAMES:
            form.parts.append(_url(each))
        elif name == "s3":
            form.parts.append(S3Field(_text(each.content)))
        elif name in OPTION_NAMES:
            options[name] = _text(each.content)
        else:
            form.ignored.append(each.name)
    return form


def _file(source: FormField, content_type: str) -> FormFile:
    content = decode_picture_text(source.content)
    error = _text_damage(content, content_type)
    return FormFile(content, source.filename, error=error)


def _url(source: FormField) -> UrlField | FormFile:
    text = _text(source.content)
    if text[: len(DATA_URL)].lower() == DATA_URL:
        return FormFile(decode_picture_text(text.encode()), field="url")
    return UrlField(text)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").strip(INVISIBLE)


def _text_damage(content: bytes, content_type: str) -> PartError | None:
    """Return an error if a conversion to text has replaced bytes of the file."""
    # A picture may contain the three bytes, but is not UTF-8: its first bytes say so, while a
    # search through 4 MB takes 3 ms.
    if not _is_utf8(content) or REPLACEMENT not in content:
        return None
    return NotAPicture(
        "A conversion to text has damaged the file: bytes are replaced by U+FFFD. Send the bytes "
        f"of the file. The request's Content-Type is {content_type[:80]!r}; the API gateway "
        "passes only its binary media types unchanged, such as multipart/form-data, "
        "application/octet-stream, image/jpeg and image/png."
    )


def _is_utf8(content: bytes) -> bool:
    """Return whether the content is valid UTF-8, without a copy of it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), CHUNK_BYTES):
            decoder.decode(content[start : start + CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _read_urlencoded(body: bytes) -> list[FormField]:
    if REPLACEMENT in body or not _is_utf8(body):
        raise MalformedBody(
            f"The body is not {URLENCODED_TYPE}. Send a picture with its own Content-Type, such as "
            "image/jpeg (curl: -H 'Content-Type: image/jpeg')."
        )
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise TooLarge(f"The form has more than {MAX_FIELDS} fields. Send fewer.") from error
    return [FormField(name, value.encode("utf-8", "replace")) for name, value in pairs]


def _check_counts(form: Form, *, max_images: int, max_urls: int) -> None:
    if not form.parts:
        names = [*form.options, *form.ignored]
        sent = _join([repr(name[:40]) for name in names]) or "none"
        raise NoImage(
            f"The body has no image, url or s3 field. Fields sent: {sent}. "
            "Name the field of a picture image, and of an address url."
        )
    if len(form.parts) > max_images:
        raise TooLarge(
            f"The request has {len(form.parts)} pictures, the limit is {max_images}. Send fewer."
        )
    urls = sum(isinstance(part, UrlField) for part in form.parts)
    if urls > max_urls:
        raise TooLarge(f"The request has {urls} urls, the limit is {max_urls}. Send fewer.")


def _join(names: list[str]) -> str:
    more = [f"and {len(names) - MAX_LISTED} more"] if len(names) > MAX_LISTED else []
    return ", ".join([*names[:MAX_LISTED], *more])
