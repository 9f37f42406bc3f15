r"""The forms of mainstream clients, byte for byte: field, file name and content.

"seen" in a name means that the bytes were recorded from the client on 2026-11-22. The others
follow the client's documentation and sources: OkHttp's MultipartBody, Apache HttpClient's
FormBodyPartBuilder, Go's mime/multipart, .NET's MultipartFormDataContent, Dart's package:http.

The file names contain what clients escape differently: spaces, quotes, accents, backslashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.parts import FormFile, Part, UrlField, parse_body

CONTENT = b"x\r\ny"
"""Content with a line end, which parsers that split lines get wrong."""

URL = UrlField("http://a.example/")


@dataclass(frozen=True)
class Dialect:
    """A client's form with one picture, and optionally a url after or before it.

    Attributes:
        boundary: Boundary as in the body.
        picture: Header lines of the picture's part.
        filename: File name that the client was given.
        content_type: Content-Type of the request, "" for the plain one.
        url: Header lines of the url's part, empty if there is none.
        url_first: True if the url comes before the picture.
        end: Bytes after the last boundary.
    """

    boundary: str
    picture: tuple[str, ...]
    filename: str | None
    content_type: str = ""
    url: tuple[str, ...] = ('Content-Disposition: form-data; name="url"',)
    url_first: bool = False
    end: str = "--\r\n"

    def body(self) -> bytes:
        parts = [(self.picture, CONTENT), *([(self.url, URL.url.encode())] if self.url else [])]
        if self.url_first:
            parts.reverse()
        return (
            b"".join(
                f"--{self.boundary}\r\n".encode()
                + "".join(f"{line}\r\n" for line in lines).encode()
                + b"\r\n"
                + content
                + b"\r\n"
                for lines, content in parts
            )
            + f"--{self.boundary}{self.end}".encode()
        )

    def parts(self) -> list[Part]:
        parts: list[Part] = [FormFile(CONTENT, self.filename), *([URL] if self.url else [])]
        return parts[::-1] if self.url_first else parts


def disposition(parameters: str) -> str:
    return f"Content-Disposition: form-data; {parameters}"


JPEG = "Content-Type: image/jpeg"
BINARY = "Content-Type: application/octet-stream"
WEBKIT = "----WebKitFormBoundaryTkr3kCBQlBe1nrhc"
GECKO = "----geckoformboundary9a3b1e1d8f0d4d4f5a6b7c8d9e0f1a2b"
OLD_GECKO = "---------------------------186454651713519341951581030105"
CURL = "------------------------04d18dacf17bc018"
PYTHON = "d251f974edce3e12c0a71451d46f6317"
UNDICI = "----formdata-undici-077672402193"
FORM_DATA = "--------------------------8370e5a1b1699b8f7f841567"
AXIOS = "axios-1.21.1-boundary-SYwiIkaNWZ6XxSv_wL85Mp80C"
UUID = "5a1f6a52-0c3c-4b6e-9a0f-2f0f3f1f7b11"
APACHE = "e7Yq_J-1vZpGtCq2mQ9xAFbWkLs3HdRo"
GO = "1d1f3bd0e93f1ab1a3a4a1f1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3"
DART = "dart-http-boundary-+5kXn9E.lVq8-BHgkGmNkO_R1fYtVbW3zDjHc7u.sPqLyM"
QT = "boundary_.oOo._MjAxMTE0NzQ4Mw==OTk2NDI1/jQ+2"
RUBY_NET = "3aXtl5G3iFwtx9vQFUGLoj6rPhMhLTLyoiYmlml0fFA2xipuMA7ouA"
RUBY_POST = "-----------RubyMultipartPost"
RUBY_REST = "----RubyFormBoundaryBRwxYJz1n67gbisl"
RUBY_HTTP = "---------------------52cfd1b3bf320ed9b4fb33bf1fb85ec457f0fc5208"
POSTMAN = "--------------------------398bd24257a6fd6c1bcfdb6c"
JAVA_MAIL = "----=_Part_1_123456.1732300000"


DIALECTS = {
    "curl 7.88, quote and accent, seen": Dialect(
        CURL, (disposition('name="image"; filename="é%22q.jpg"'), JPEG), 'é"q.jpg'
    ),
    "curl 7.88, backslash, seen": Dialect(
        CURL, (disposition('name="image"; filename="b\\c.jpg"'), JPEG), "b\\c.jpg"
    ),
    "curl before 7.81, quote and backslash": Dialect(
        CURL, (disposition('name="image"; filename="b\\\\c\\"q.jpg"'), JPEG), 'b\\c"q.jpg'
    ),
    "curl with --form-escape": Dialect(
        CURL, (disposition('name="image"; filename="a\\"b\\".jpg"'),), 'a"b".jpg'
    ),
    "Chrome": Dialect(
        WEBKIT, (disposition('name="image"; filename="é %22q%22.jpg"'), JPEG), 'é "q".jpg'
    ),
    "Safari, a line break in the name": Dialect(
        WEBKIT, (disposition('name="image"; filename="a%0D%0Ab.jpg"'), JPEG), "a\r\nb.jpg"
    ),
    "Firefox": Dialect(GECKO, (disposition('name="image"; filename="日本.jpg"'), JPEG), "日本.jpg"),
    "Firefox before 2021, quote": Dialect(
        OLD_GECKO, (disposition('name="image"; filename="a\\"b.jpg"'), JPEG), 'a"b.jpg'
    ),
    "Internet Explorer, the whole path": Dialect(
        OLD_GECKO,
        (disposition('name="image"; filename="C:\\photos\\a.jpg"'), "Content-Type: image/pjpeg"),
        "a.jpg",
    ),
    "Internet Explorer, a path in the network": Dialect(
        OLD_GECKO, (disposition('name="image"; filename="\\\\pc\\c\\a.jpg"'),), "a.jpg"
    ),
    "a browser, no file chosen": Dialect(
        WEBKIT, (disposition('name="image"; filename=""'), BINARY), ""
    ),
    "a browser, a directory": Dialect(
        WEBKIT, (disposition('name="image"; filename="d/a.jpg"'), JPEG), "d/a.jpg"
    ),
    "a browser, a percent sign": Dialect(
        WEBKIT, (disposition('name="image"; filename="50%25.jpg"'),), "50%25.jpg"
    ),
    "requests 2.34 with urllib3 2.8, seen": Dialect(
        PYTHON, (disposition('name="image"; filename="é%22q.jpg"'), JPEG), 'é"q.jpg'
    ),
    "requests 2.34 with urllib3 1.26, backslash, seen": Dialect(
        PYTHON, (disposition('name="image"; filename="b\\\\c.jpg"'), JPEG), "b\\c.jpg"
    ),
    "requests of 2016, accent": Dialect(
        PYTHON, (disposition("name=\"image\"; filename*=utf-8''%C3%A9.jpg"),), "é.jpg"
    ),
    "httpx 0.28, url first, seen": Dialect(
        PYTHON, (disposition('name="image"; filename="é%22q.jpg"'), JPEG), 'é"q.jpg', url_first=True
    ),
    "httpx 0.28, backslash, seen": Dialect(
        PYTHON, (disposition('name="image"; filename="b\\\\c.jpg"'), JPEG), "b\\c.jpg"
    ),
    "aiohttp 3.14, type first, percent-encoded name, seen": Dialect(
        # Browsers do not encode names, so 50%20.jpg is a valid one.
        PYTHON,
        (JPEG, disposition('name="image"; filename="a%20b.jpg"')),
        "a%20b.jpg",
        url=("Content-Type: text/plain; charset=utf-8", disposition('name="url"')),
    ),
    "aiohttp 3.14 with quote_fields=False, seen": Dialect(
        PYTHON, (BINARY, disposition('name="image"; filename="é\\"q.jpg"')), 'é"q.jpg'
    ),
    "aiohttp 3.7, both file names": Dialect(
        PYTHON,
        (JPEG, disposition('name="image"; filename="%C3%A9.jpg"; filename*=utf-8\'\'%C3%A9.jpg')),
        "é.jpg",
    ),
    "fetch in Node 20, seen": Dialect(
        UNDICI, (disposition('name="image"; filename="é%22q.jpg"'), JPEG), 'é"q.jpg'
    ),
    "node-fetch 3, nothing behind the last boundary, seen": Dialect(
        UNDICI, (disposition('name="image"; filename="b\\c.jpg"'), BINARY), "b\\c.jpg", end="--"
    ),
    "axios 1.21, seen": Dialect(
        AXIOS, (disposition('name="image"; filename="é%22q.jpg"'), JPEG), 'é"q.jpg'
    ),
    "axios 1.21 with form-data 4, seen": Dialect(
        FORM_DATA, (disposition('name="image"; filename="é%22q.jpg"'), JPEG), 'é"q.jpg'
    ),
    "superagent 10, seen": Dialect(
        FORM_DATA, (disposition('name="image"; filename="b\\c.jpg"'), JPEG), "b\\c.jpg"
    ),
    "Postman": Dialect(POSTMAN, (disposition('name="image"; filename="a b.jpg"'), JPEG), "a b.jpg"),
    "OkHttp 4, no file name, lengths": Dialect(
        UUID,
        (disposition('name="image"'), JPEG, "Content-Length: 4"),
        None,
        url=(disposition('name="url"'), "Content-Length: 17"),
    ),
    "OkHttp 4, quote": Dialect(
        UUID,
        (disposition('name="image"; filename="é%22q.jpg"'), JPEG, "Content-Length: 4"),
        'é"q.jpg',
    ),
    "Retrofit 2, transfer encoding first": Dialect(
        UUID,
        (
            disposition('name="image"; filename="a.jpg"'),
            "Content-Transfer-Encoding: binary",
            JPEG,
            "Content-Length: 4",
        ),
        "a.jpg",
    ),
    "Apache HttpClient 4, strict": Dialect(
        APACHE,
        (
            disposition('name="image"; filename="a.jpg"'),
            BINARY,
            "Content-Transfer-Encoding: binary",
        ),
        "a.jpg",
        url=(
            disposition('name="url"'),
            "Content-Type: text/plain; charset=ISO-8859-1",
            "Content-Transfer-Encoding: 8bit",
        ),
    ),
    "Apache HttpClient 5, charset behind the boundary, quote": Dialect(
        APACHE,
        (disposition('name="image"; filename="é\\"q.jpg"'), BINARY),
        'é"q.jpg',
        content_type=f"multipart/form-data; boundary={APACHE}; charset=UTF-8",
    ),
    "Apache HttpClient 5, extended": Dialect(
        APACHE,
        (disposition('name="image"; filename="?.jpg"; filename*="UTF-8\'\'%C3%A9.jpg"'),),
        "é.jpg",
        content_type=f"multipart/form-data; charset=UTF-8; boundary={APACHE}",
    ),
    "Spring's RestTemplate": Dialect(
        APACHE,
        (disposition('name="image"; filename="a.jpg"'), JPEG, "Content-Length: 4"),
        "a.jpg",
        content_type=f"multipart/form-data;boundary={APACHE};charset=UTF-8",
        url=(
            disposition('name="url"'),
            "Content-Type: text/plain;charset=UTF-8",
            "Content-Length: 17",
        ),
    ),
    "Java's mail API, unquoted odd boundary": Dialect(
        JAVA_MAIL,
        (disposition("name=image; filename=a.jpg"), "Content-Transfer-Encoding: binary"),
        "a.jpg",
    ),
    "Go, quote and backslash": Dialect(
        GO, (disposition('name="image"; filename="b\\\\c\\"q.jpg"'), BINARY), 'b\\c"q.jpg'
    ),
    ".NET, unquoted": Dialect(
        UUID,
        (disposition("name=image; filename=a.jpg; filename*=utf-8''a.jpg"),),
        "a.jpg",
        content_type=f'multipart/form-data; boundary="{UUID}"',
        url=("Content-Type: text/plain; charset=utf-8", disposition("name=url")),
    ),
    ".NET, accent": Dialect(
        UUID,
        (
            JPEG,
            disposition(
                "name=image; filename=\"=?utf-8?B?w6kuanBn?=\"; filename*=utf-8''%C3%A9.jpg"
            ),
        ),
        "é.jpg",
        content_type=f'multipart/form-data; boundary="{UUID}"',
        url=(disposition("name=url"),),
    ),
    ".NET, space and semicolon": Dialect(
        UUID,
        (disposition("name=image; filename=\"a; b.jpg\"; filename*=utf-8''a%3B%20b.jpg"),),
        "a; b.jpg",
        content_type=f'multipart/form-data; boundary="{UUID}"',
    ),
    "Dart, lower-case names": Dialect(
        DART,
        (
            "content-type: image/jpeg",
            'content-disposition: form-data; name="image"; filename="é%22q.jpg"',
        ),
        'é"q.jpg',
        url=('content-disposition: form-data; name="url"',),
        url_first=True,
    ),
    "PHP 8.2's curl, seen": Dialect(
        CURL, (disposition('name="image"; filename="é%22q.jpg"'), JPEG), 'é"q.jpg'
    ),
    "PHP's Guzzle": Dialect(
        PYTHON,
        (disposition('name="image"; filename="a.jpg"'), "Content-Length: 4", JPEG),
        "a.jpg",
        url=(disposition('name="url"'), "Content-Length: 17"),
    ),
    "Ruby's Net::HTTP, quote, seen": Dialect(
        RUBY_NET, (disposition('name="image"; filename="é\\"q.jpg"'), BINARY), 'é"q.jpg'
    ),
    "Ruby's rest-client 2.1, quote as it is, seen": Dialect(
        RUBY_REST, (disposition('name="image"; filename="é"q.jpg"'), JPEG), 'é"q.jpg'
    ),
    "Ruby's multipart-post 2.0, seen": Dialect(
        RUBY_POST,
        (
            disposition('name="image"; filename="é"q.jpg"'),
            "Content-Length: 4",
            JPEG,
            "Content-Transfer-Encoding: binary",
        ),
        'é"q.jpg',
        end="--\r\n\r\n",
    ),
    "Ruby's http 4.4, seen": Dialect(
        RUBY_HTTP, (disposition('name="image"; filename="é\\"q.jpg"'), BINARY), 'é"q.jpg'
    ),
    "Qt, quoted boundary with odd characters": Dialect(
        QT,
        (JPEG, disposition('name="image"; filename="a.jpg"')),
        "a.jpg",
        content_type=f'multipart/form-data; boundary="{QT}"',
    ),
    "unquoted boundary with odd characters": Dialect(
        QT,
        (disposition("name=image; filename=a b.jpg"),),
        "a b.jpg",
        content_type=f"multipart/form-data; boundary={QT}; charset=utf-8",
    ),
    "boundary with every character that RFC 2046 allows, unquoted": Dialect(
        "aZ09'()+_,-./:=? b",
        (disposition('name="image"'),),
        None,
        content_type="multipart/form-data; boundary=aZ09'()+_,-./:=? b",
    ),
    "boundary with escaped characters": Dialect(
        'a"b',
        (disposition('name="image"'),),
        None,
        content_type='multipart/form-data; boundary="a\\"b"',
    ),
    "capitals and spacing in the type": Dialect(
        PYTHON,
        ('CONTENT-DISPOSITION: Form-Data ;\tNAME = "image" ; FileName = "a.jpg" ',),
        "a.jpg",
        content_type=f"MULTIPART/Form-Data ;\tCHARSET = utf-8 ;  BOUNDARY = {PYTHON} ",
    ),
    "a semicolon at the type's end": Dialect(
        PYTHON,
        (disposition('name="image";'),),
        None,
        content_type=f"multipart/form-data; boundary={PYTHON};",
    ),
    "a boundary in another parameter": Dialect(
        PYTHON,
        (disposition('x="; name=no"; name="image"'),),
        None,
        content_type=f'multipart/form-data; x="; boundary=no"; boundary={PYTHON}',
    ),
    "an extended name that can't be read": Dialect(
        PYTHON, (disposition('name="image"; filename="a.jpg"; filename*=nonsense'),), "a.jpg"
    ),
    "an extended name in Latin-1": Dialect(
        PYTHON, (disposition("name=image; filename*=iso-8859-1'fr'%E9.jpg"),), "é.jpg"
    ),
    "no closing quote": Dialect(PYTHON, (disposition('name="image"; filename="a.jpg'),), "a.jpg"),
    "a folded header, as mail has them": Dialect(
        PYTHON, ("Content-Disposition: form-data;", ' name="image"', JPEG), None
    ),
}


def parse(dialect: Dialect, body: bytes) -> list[Part]:
    content_type = dialect.content_type or f"multipart/form-data; boundary={dialect.boundary}"
    return parse_body(content_type, body, max_images=2, max_urls=1).parts


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_form_of_a_client(dialect: Dialect) -> None:
    assert parse(dialect, dialect.body()) == dialect.parts()


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_form_with_lf_line_ends(dialect: Dialect) -> None:
    body = dialect.body().replace(CONTENT, b"?").replace(b"\r\n", b"\n")
    body = body.replace(b"?\n--", CONTENT + b"\n--")

    assert parse(dialect, body) == dialect.parts()


LF_CONTENTS = {
    "lines of both kinds": b"a\r\nb\nc\r\r\n\n",
    "a boundary behind CRLF, as content": b"\r\n--c\r\n",
    "an empty line first": b"\n\nx",
    "carriage return last": b"x\r",
    "empty": b"",
}


@pytest.mark.parametrize("content", LF_CONTENTS.values(), ids=LF_CONTENTS)
def test_content_is_unchanged_in_forms_with_lf_line_ends(content: bytes) -> None:
    head = b"--b\nContent-Disposition: form-data; name=image\n\n"
    body = b"script's preamble\n" + head + content + b"\n" + head + content + b"\n--b--\n"
    found = parse_body("multipart/form-data; boundary=b", body, max_images=2, max_urls=1).parts

    assert found == [FormFile(content), FormFile(content)]
