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
from gateway.parts import FormFile, Part, S3Field, UrlField, ignored_parts, parse_body
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
URLENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"
FORMS: dict[str, tuple[str, bytes, Part]] = {
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


@pytest.mark.parametrize(("content_type", "body", "part"), FORMS.values(), ids=FORMS)
def test_form_syntax(content_type: str, body: bytes, part: Part) -> None:
    assert parse(content_type, body) == [part]


TEXT = b"/9j/4AAQ"
JPEG = b"\xff\xd8\xff\xe0\x00\x10"
A, B = UrlField("http://a.example/1"), UrlField("http://a.example/2")
PICTURE = FormFile(JPEG)
BODIES: dict[str, tuple[str, bytes, list[Part]]] = {
    "arrays": (
        *multipart(("image[]", JPEG), ("image[0]", JPEG), ("url[]", A.url), ("url[a]", B.url)),
        [PICTURE, PICTURE, A, B],
    ),
    "other names": (
        *multipart(("images", JPEG), ("file", JPEG), ("files[]", JPEG), ("urls", A.url)),
        [PICTURE, PICTURE, PICTURE, A],
    ),
    "s3 array": (*multipart(("s3[]", "s3://b/c")), [S3Field("s3://b/c")]),
    "base64 text": (*multipart(("image", TEXT)), [PICTURE]),
    "data URL": (*multipart(("image", b"data:image/jpeg;base64," + TEXT)), [PICTURE]),
    "data URL as a url": (
        *multipart(("url", b" data:image/jpeg;base64," + TEXT)),
        [FormFile(JPEG, field="url")],
    ),
    "invisible characters around a url": (
        *multipart(("url", "\u200b\ufeff http://a.example/1 \u2060\xa0\r\n")),
        [A],
    ),
    "raw picture of no known type": ("application/octet-stream", JPEG, [PICTURE]),
    "raw picture of a type in capitals": ("IMAGE/JPG", JPEG, [PICTURE]),
    "raw base64": ("image/jpeg", TEXT + b"\n", [PICTURE]),
    "raw data URL as text": ("text/plain;charset=UTF-8", b"data:;base64," + TEXT, [PICTURE]),
    "url-encoded urls": (
        URLENCODED,
        b"url=http%3A%2F%2Fa.example%2F1&url[]=http://a.example/2",
        [A, B],
    ),
    "url-encoded base64": (URLENCODED + "; charset=utf-8", b"image=%2F9j%2F4AAQ&a=", [PICTURE]),
    "url-encoded base64, not escaped": (URLENCODED, b"image=/9j/4AAQ", [PICTURE]),
    "JSON image": (JSON, b'{"image": "/9j/4AAQ"}', [PICTURE]),
    "JSON data URL": (JSON, b'{"image": "data:image/jpeg;base64,/9j/4AAQ"}', [PICTURE]),
    "JSON url": ("application/JSON; charset=utf-8", b'{"url": "http://a.example/1"}', [A]),
    "JSON lists": (
        "application/vnd.api+json",
        b'{"urls": ["http://a.example/1", "http://a.example/2"], "images": ["/9j/4AAQ"]}',
        [A, B, PICTURE],
    ),
    "JSON repeated names": (
        JSON,
        b'{"url": "http://a.example/1", "url": "http://a.example/2"}',
        [A, B],
    ),
    "JSON instances": (
        JSON,
        b'{"instances": [{"b64": "/9j/4AAQ"}, {"url": "http://a.example/1"}, "/9j/4AAQ",'
        b' {"image_bytes": {"b64": "/9j/4AAQ"}, "key": "1"}]}',
        [PICTURE, A, PICTURE, PICTURE],
    ),
    "JSON with a byte order mark and nulls": (
        JSON,
        b'\xef\xbb\xbf{"image": null, "url": "http://a.example/1"}',
        [A],
    ),
    "JSON in UTF-16": (JSON, '{"url": "http://a.example/1"}'.encode("utf-16"), [A]),
    "JSON base64 of something else": (JSON, b'{"image": "aGVsbG8="}', [FormFile(b"hello")]),
    "JSON url as an image": (
        JSON,
        b'{"image": "https://a.example"}',
        [FormFile(b"https://a.example")],
    ),
}


@pytest.mark.parametrize(("content_type", "body", "parts"), BODIES.values(), ids=BODIES)
def test_body(content_type: str, body: bytes, parts: list[Part]) -> None:
    assert parse(content_type, body) == parts


OPTIONS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "form": (
        *multipart(("url", A.url), ("threshold", "0.5\n"), ("top", "3"), ("details", "true")),
        {"threshold": "0.5", "top": "3", "details": "true"},
    ),
    "repeated": (*multipart(("url", A.url), ("top", "3"), ("top", "4")), {"top": "4"}),
    "url-encoded": (URLENCODED, b"url=a&strict=true", {"strict": "true"}),
    "JSON": (
        JSON,
        b'{"url": "a", "threshold": 0.25, "top": 3, "details": true, "strict": "false"}',
        {"threshold": "0.25", "top": "3", "details": "true", "strict": "false"},
    ),
}


@pytest.mark.parametrize(("content_type", "body", "options"), OPTIONS.values(), ids=OPTIONS)
def test_options_in_the_body(content_type: str, body: bytes, options: dict[str, str]) -> None:
    form = parse_body(content_type, body, max_images=4, max_urls=2)

    assert form.options == options
    assert form.ignored == []


IGNORED: dict[str, tuple[str, bytes, str]] = {
    "form": (*multipart(("url", A.url), ("comment", "x"), ("photo[]", "x")), "comment, photo[]"),
    "not ASCII": (*multipart(("url", A.url), ("\u00e9\r\n", "x")), "%C3%A9%0D%0A"),
    "long": (*multipart(("url", A.url), ("a" * 100, "x")), "a" * 40),
    "unnamed": (
        FORM_TYPE,
        form("Content-Disposition: form-data; name=url")[:-7]
        + form("Content-Disposition: form-data"),
        "(unnamed)",
    ),
    "many": (
        *multipart(("url", A.url), *[(f"f{n}", "x") for n in range(12)]),
        "f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, and 2 more",
    ),
    "url-encoded": (URLENCODED, b"url=a&submit=Go", "submit"),
    "JSON": (JSON, b'{"url": "a", "id": 7, "tags": ["x", "y"]}', "id, tags"),
}


@pytest.mark.parametrize(("content_type", "body", "header"), IGNORED.values(), ids=IGNORED)
def test_ignored_parts(content_type: str, body: bytes, header: str) -> None:
    ignored = parse_body(content_type, body, max_images=4, max_urls=2).ignored

    assert ignored_parts(ignored) == {"X-Ignored-Parts": header}


def test_without_ignored_parts_there_is_no_header() -> None:
    assert ignored_parts([]) == {}


DAMAGED: dict[str, tuple[str, bytes, bool]] = {
    "raw": ("image/foo", JPEG.decode("utf-8", "replace").encode(), True),
    "in a form": (*multipart(("image", "\ufffd\ufffdPNG")), True),
    "these bytes in a picture": ("image/jpeg", JPEG + "\ufffd".encode(), False),
    "text": ("image/jpeg", "\u00e9".encode(), False),
}


@pytest.mark.parametrize(("content_type", "body", "is_damaged"), DAMAGED.values(), ids=DAMAGED)
def test_damage_by_a_text_conversion(content_type: str, body: bytes, is_damaged: bool) -> None:
    [part] = parse(content_type, body)

    assert isinstance(part, FormFile)
    assert (part.error is not None) == is_damaged
    if part.error:
        assert part.error.code == "not_an_image"
        assert content_type in part.error.message


WHOLE = form('Content-Disposition: form-data; name="image"')
REFUSED: dict[str, tuple[str, bytes, type[RequestError]]] = {
    "no type": ("", WHOLE, UnsupportedMediaType),
    "text": ("text/plain", b"hello", UnsupportedMediaType),
    "other multipart": ("multipart/mixed; boundary=b", WHOLE, UnsupportedMediaType),
    "no boundary": ("multipart/form-data", WHOLE, MalformedBody),
    "empty boundary": ("multipart/form-data; boundary=", WHOLE, MalformedBody),
    "line break in the boundary": (
        'multipart/form-data; boundary="b\n"',
        WHOLE,
        MalformedBody,
    ),
    "lone surrogate in the boundary": (
        'multipart/form-data; boundary="\ud800"',
        WHOLE,
        MalformedBody,
    ),
    "other boundary": ("multipart/form-data; boundary=c", WHOLE, MalformedBody),
    "no disposition": (FORM_TYPE, form("Content-Type: image/png"), MalformedBody),
    "header without a colon": (FORM_TYPE, form("Content-Disposition"), MalformedBody),
    "end of the body in a header": (FORM_TYPE, b"--b\r\nContent-Disp", MalformedBody),
    "nothing in it": (FORM_TYPE, b"--b--\r\n", NoImage),
    "only the first delimiter": (FORM_TYPE, b"--b\r\n", NoImage),
    "other fields": (FORM_TYPE, form('Content-Disposition: form-data; name="photo"'), NoImage),
    "header too long": (
        FORM_TYPE,
        form("Content-Disposition: form-data; name=" + "a" * 5000),
        TooLarge,
    ),
    "too many headers": (
        FORM_TYPE,
        form("\r\n".join(["Content-Disposition: form-data; name=image"] + ["X-A: 1"] * 8)),
        TooLarge,
    ),
    "too many folded header lines": (
        FORM_TYPE,
        form("Content-Disposition: form-data;" + "\r\n x" * 8),
        TooLarge,
    ),
    "folded header too long": (
        FORM_TYPE,
        form("Content-Disposition: form-data;" + ("\r\n " + "x" * 1000) * 5),
        TooLarge,
    ),
    "endless header": (FORM_TYPE, b"--b\r\nX: " + b"a" * 50_000, TooLarge),
    "lines that end in CR alone": (FORM_TYPE, WHOLE.replace(b"\r\n", b"\r"), MalformedBody),
    "lines that end in LF, then in CRLF": (
        FORM_TYPE,
        WHOLE.replace(b"\r\n", b"\n", 1),
        MalformedBody,
    ),
    "lines that end in CRLF, then in LF": (
        FORM_TYPE,
        b"--b\r\n" + WHOLE[5:].replace(b"\r\n", b"\n"),
        MalformedBody,
    ),
    "url-encoded picture": (URLENCODED, b"\xff\xd8\xff\xe0", MalformedBody),
    "picture converted to text as url-encoded": (
        URLENCODED,
        b"\xff\xd8\xff\xe0".decode("utf-8", "replace").encode(),
        MalformedBody,
    ),
    "url-encoded, no picture": (URLENCODED, b"a=1&b=2", NoImage),
    "url-encoded, too many fields": (URLENCODED, b"a=1&" * 129, TooLarge),
    "not JSON": (JSON, b"{", MalformedBody),
    "JSON list": (JSON, b'["https://a.example/b.jpg"]', MalformedBody),
    "JSON number": (JSON, b'{"image": 5}', MalformedBody),
    "JSON, deeply nested": (JSON, b"[" * 100_000, MalformedBody),
    "JSON object as a url": (JSON, b'{"url": {"href": "https://a.example"}}', MalformedBody),
    "JSON without a picture": (JSON, b'{"photo": "https://a.example"}', NoImage),
    "JSON, too many values": (JSON, b'{"a": 1' + b', "a": 1' * 128 + b"}", TooLarge),
}


@pytest.mark.promise("size-limits")
@pytest.mark.parametrize(("content_type", "body", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(content_type: str, body: bytes, error: type[GatewayError]) -> None:
    with pytest.raises(error):
        parse(content_type, body)


def test_no_image_names_the_fields() -> None:
    with pytest.raises(NoImage, match="'photo', 'comment'"):
        parse(*multipart(("photo", "x"), ("comment", "hello")))


URL: Field = ("url", "http://a.b/c")
COUNTS = {
    "pictures": ([upload(b"x")] * 5, "5 pictures, the limit is 4"),
    "pictures and urls together": ([upload(b"x")] * 3 + [URL] * 2, "5 pictures, the limit is 4"),
    "urls": ([URL] * 3, "3 urls, the limit is 2"),
    "fields of other names": ([("other", "1")] * 129, "128 fields"),
    "parts of a thousand names": ([(f"f{n}", "") for n in range(1000)], "128 fields"),
}


@pytest.mark.promise("size-limits")
@pytest.mark.parametrize(("fields", "message"), COUNTS.values(), ids=COUNTS)
def test_too_many(fields: list[Field], message: str) -> None:
    with pytest.raises(TooLarge, match=message):
        parse(*multipart(*fields))


FILE_NAMES = ("file", "files", "files[]")
"""Field names of pictures that the manifest, which is older, does not know."""


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
        named = [part["name"] for part in case["parts"] or ()]
        files = sum(name in FILE_NAMES for name in named)
        elements = [number + files for number in case["expect_elements"] or ()]
        if status not in case["expect_status"] or (elements and count not in elements):
            wrong[case["id"]] = (status, count)

    assert len(cases) == 86
    assert wrong == {}
