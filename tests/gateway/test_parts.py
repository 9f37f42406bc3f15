from __future__ import annotations

import json

import pytest

from gateway.errors import (
    GatewayError,
    MalformedBody,
    NoImage,
    RequestError,
    TooLarge,
    UnsupportedMediaType,
)
from gateway.parts import FormFile, Part, S3Field, UrlField, parse_body
from tests.support.events import Field, multipart, upload
from tests.support.models import SHARED


def parse(content_type: str, body: bytes) -> list[Part]:
    return parse_body(content_type, body, max_images=4, max_urls=2).parts


def test_parts_keep_their_order() -> None:
    content_type, body = multipart(
        upload(b"first", filename="a.jpg"),
        ("comment", "hello"),
        ("url", "http://example.com/b.jpg"),
        upload(b"third", filename="ç 3.png"),
        ("s3", " s3://bucket/uploads/key\n"),
    )

    assert parse(content_type, body) == [
        FormFile(b"first", "a.jpg"),
        UrlField("http://example.com/b.jpg"),
        FormFile(b"third", "ç 3.png"),
        S3Field("s3://bucket/uploads/key"),
    ]


def form(head: str, content: bytes = b"x") -> bytes:
    return b"--b\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n--b--\r\n"


FORM_TYPE = "multipart/form-data; boundary=b"
DIALECTS: dict[str, tuple[str, bytes, Part]] = {
    "quoted boundary": (
        'multipart/form-data; boundary="b"',
        form('Content-Disposition: form-data; name="image"; filename="a.jpg"'),
        FormFile(b"x", "a.jpg"),
    ),
    "type in capitals, charset before the boundary": (
        "Multipart/Form-Data; charset=utf-8; Boundary=b",
        form('Content-Disposition: form-data; name="image"'),
        FormFile(b"x", None),
    ),
    "unquoted name": (
        FORM_TYPE,
        form("Content-Disposition: form-data; name=image"),
        FormFile(b"x", None),
    ),
    "lower-case header, no space": (
        FORM_TYPE,
        form('content-disposition:form-data;name="image"'),
        FormFile(b"x", None),
    ),
    "content type before disposition": (
        FORM_TYPE,
        form('Content-Type: image/png\r\nContent-Disposition: form-data; name="image"'),
        FormFile(b"x", None),
    ),
    "binary transfer encoding": (
        FORM_TYPE,
        form('Content-Transfer-Encoding: binary\r\nContent-Disposition: form-data; name="image"'),
        FormFile(b"x", None),
    ),
    "content length": (
        FORM_TYPE,
        form('Content-Disposition: form-data; name="image"\r\nContent-Length: 1'),
        FormFile(b"x", None),
    ),
    "path in the file name": (
        FORM_TYPE,
        form('Content-Disposition: form-data; name="image"; filename="C:\\photos\\a.jpg"'),
        FormFile(b"x", "a.jpg"),
    ),
    "file name in UTF-8": (
        FORM_TYPE,
        (
            '--b\r\nContent-Disposition: form-data; name=image; filename="été.jpg"\r\n\r\n'
            "x\r\n--b--\r\n"
        ).encode(),
        FormFile(b"x", "été.jpg"),
    ),
    "file name in a Windows code page": (
        FORM_TYPE,
        (
            '--b\r\nContent-Disposition: form-data; name=image; filename="é.jpg"\r\n\r\n'
            "x\r\n--b--\r\n"
        ).encode("cp1252"),
        FormFile(b"x", "\ufffd.jpg"),
    ),
    "url sent as a file": (
        FORM_TYPE,
        form('Content-Disposition: form-data; name="url"; filename="u.txt"', b" http://a.b/c\n"),
        UrlField("http://a.b/c"),
    ),
    "preamble and epilogue": (
        FORM_TYPE,
        b"hello\r\n" + form('Content-Disposition: form-data; name="image"') + b"bye",
        FormFile(b"x", None),
    ),
    "content that holds most of the boundary": (
        FORM_TYPE,
        form('Content-Disposition: form-data; name="image"', b"\r\n--\r\n-b\r--b"),
        FormFile(b"\r\n--\r\n-b\r--b", None),
    ),
    "empty file": (
        FORM_TYPE,
        form('Content-Disposition: form-data; name="image"; filename=""', b""),
        FormFile(b"", ""),
    ),
    "a picture as the body": ("image/jpeg", b"x", FormFile(b"x", None)),
    "any image type, with parameters": ("IMAGE/WebP; q=1", b"x", FormFile(b"x", None)),
}


@pytest.mark.parametrize(("content_type", "body", "part"), DIALECTS.values(), ids=DIALECTS)
def test_dialect(content_type: str, body: bytes, part: Part) -> None:
    assert parse(content_type, body) == [part]


WHOLE = form('Content-Disposition: form-data; name="image"')
REFUSED: dict[str, tuple[str, bytes, type[RequestError], str]] = {
    "no type": ("", WHOLE, UnsupportedMediaType, "multipart/form-data"),
    "JSON": ("application/json", b"{}", UnsupportedMediaType, "application/json"),
    "other multipart": (
        "multipart/mixed; boundary=b",
        WHOLE,
        UnsupportedMediaType,
        "multipart/mixed",
    ),
    "no boundary": ("multipart/form-data", WHOLE, MalformedBody, "has no boundary"),
    "empty boundary": ("multipart/form-data; boundary=", WHOLE, MalformedBody, "has no boundary"),
    "line break in the boundary": (
        'multipart/form-data; boundary="b\n"',
        WHOLE,
        MalformedBody,
        "not complete, valid",
    ),
    "lone surrogate in the boundary": (
        'multipart/form-data; boundary="\ud800"',
        WHOLE,
        MalformedBody,
        "not complete, valid",
    ),
    "other boundary": ("multipart/form-data; boundary=c", WHOLE, MalformedBody, "not complete"),
    "cut off in the content": (FORM_TYPE, WHOLE[:-9], MalformedBody, "not complete"),
    "cut off before the last hyphens": (FORM_TYPE, WHOLE[:-4], MalformedBody, "not complete"),
    "no disposition": (FORM_TYPE, form("Content-Type: image/png"), MalformedBody, "not complete"),
    "nothing in it": (FORM_TYPE, b"--b--\r\n", NoImage, "Fields sent: none"),
    "other fields": (
        FORM_TYPE,
        form('Content-Disposition: form-data; name="photo"'),
        NoImage,
        "Fields sent: 'photo'",
    ),
    "header too long": (
        FORM_TYPE,
        form("Content-Disposition: form-data; name=" + "a" * 5000),
        TooLarge,
        "header lines of 4096 bytes",
    ),
    "too many headers": (
        FORM_TYPE,
        form("\r\n".join(["Content-Disposition: form-data; name=image"] + ["X-A: 1"] * 8)),
        TooLarge,
        "at most 128 fields, each with at most 8 header lines",
    ),
    "too many folded header lines": (
        FORM_TYPE,
        form("Content-Disposition: form-data;" + "\r\n x" * 8),
        TooLarge,
        "at most 128 fields, each with at most 8 header lines",
    ),
    "folded header too long": (
        FORM_TYPE,
        form("Content-Disposition: form-data;" + ("\r\n " + "x" * 1000) * 5),
        TooLarge,
        "header lines of 4096 bytes",
    ),
    "header that does not end": (FORM_TYPE, b"--b\r\nX: " + b"a" * 5000, TooLarge, "4096 bytes"),
    "lines that end in CR alone": (
        FORM_TYPE,
        WHOLE.replace(b"\r\n", b"\r"),
        MalformedBody,
        "not complete",
    ),
    "lines that end in LF, then in CRLF": (
        FORM_TYPE,
        WHOLE.replace(b"\r\n", b"\n", 1),
        MalformedBody,
        "not complete",
    ),
    "lines that end in CRLF, then in LF": (
        FORM_TYPE,
        b"--b\r\n" + WHOLE[5:].replace(b"\r\n", b"\n"),
        MalformedBody,
        "not complete",
    ),
}


@pytest.mark.parametrize(
    ("content_type", "body", "error", "message"), REFUSED.values(), ids=REFUSED
)
def test_refused(content_type: str, body: bytes, error: type[GatewayError], message: str) -> None:
    with pytest.raises(error, match=message):
        parse(content_type, body)


URL: Field = ("url", "http://a.b/c")
COUNTS = {
    "pictures": ([upload(b"x")] * 5, "5 pictures in one request, the limit is 4"),
    "pictures and urls together": (
        [upload(b"x")] * 3 + [URL] * 2,
        "5 pictures in one request, the limit is 4",
    ),
    "urls": ([URL] * 3, "3 urls in one request, the limit is 2"),
    "fields of other names": ([("other", "1")] * 129, "at most 128 fields"),
    "parts of a thousand names": ([(f"f{n}", "") for n in range(1000)], "at most 128 fields"),
}


@pytest.mark.parametrize(("fields", "message"), COUNTS.values(), ids=COUNTS)
def test_too_many(fields: list[Field], message: str) -> None:
    with pytest.raises(TooLarge, match=message):
        parse(*multipart(*fields))


def test_published_bodies(shared: object) -> None:
    """The bodies of public parsers' own test suites, as their manifest expects."""
    folder = SHARED / "corpus"
    cases = json.loads((folder / "multipart/cases.json").read_text())
    wrong = {}
    for case in cases:
        try:
            parts = parse(case["content_type"], (folder / case["body"]).read_bytes())
            status, count = 200, len(parts)
        except RequestError as error:
            status, count = error.status, 0
        elements = case["expect_elements"]
        if status not in case["expect_status"] or (elements and count not in elements):
            wrong[case["id"]] = (status, count)

    assert len(cases) == 86
    assert wrong == {}
