"""Forms that deviate from RFC 7578 and RFC 2046, as public reports show them."""

from __future__ import annotations

import base64

import pytest

from gateway.multipart_form import FormField, read_multipart

JPEG = b"\xff\xd8\xff\xe0 picture \xff\xd9"
BASE64 = base64.encodebytes(JPEG)
IMAGE = 'Content-Disposition: form-data; name="image"; filename="a.jpg"'
FILE = FormField("image", JPEG, "a.jpg")


def form(*parts: tuple[str, bytes], end: bytes = b"--b--\r\n") -> bytes:
    """Return a form with the headers and contents of `parts`."""
    return (
        b"".join(
            b"--b\r\n" + headers.replace("\n", "\r\n").encode() + b"\r\n\r\n" + content + b"\r\n"
            for headers, content in parts
        )
        + end
    )


NESTED = (
    b"--n\r\nContent-Disposition: file; filename=a.jpg\r\n\r\n" + JPEG + b"\r\n"
    b"--n\r\nContent-Disposition: file; filename=b.jpg\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + BASE64 + b"\r\n--n--\r\n"
)
TWO = [FormField("image", JPEG, "a.jpg"), FormField("image", JPEG, "b.jpg")]

FORMS: dict[str, tuple[bytes, list[FormField]]] = {
    "base64": (form((f"{IMAGE}\nContent-Transfer-Encoding: base64", BASE64)), [FILE]),
    "base64 in capitals, before the disposition": (
        form((f"content-transfer-encoding: BASE64\n{IMAGE}", BASE64)),
        [FILE],
    ),
    "base64 without line ends or padding": (
        form((f"{IMAGE}\nContent-Transfer-Encoding: base64", BASE64.strip(b"\n="))),
        [FILE],
    ),
    "base64 that is the picture itself": (
        form((f"{IMAGE}\nContent-Transfer-Encoding: base64", JPEG)),
        [FILE],
    ),
    "quoted-printable": (
        form(
            (
                "Content-Disposition: form-data; name=url\n"
                "Content-Transfer-Encoding: quoted-printable",
                b"http://a.example/x=3D1&y=3D=\r\n=C3=A9",
            )
        ),
        [FormField("url", "http://a.example/x=1&y=\u00e9".encode())],
    ),
    "quoted-printable picture": (
        form(
            (
                f"{IMAGE}\nContent-Transfer-Encoding: Quoted-Printable",
                b"=FF=D8=FF=E0 picture =FF=D9",
            )
        ),
        [FILE],
    ),
    "binary, 8bit and unknown encodings": (
        form(
            (f"{IMAGE}\nContent-Transfer-Encoding: binary", JPEG),
            (f"{IMAGE}\nContent-Transfer-Encoding: 8bit", JPEG),
            (f"{IMAGE}\nContent-Transfer-Encoding: x-none", JPEG),
        ),
        [FILE] * 3,
    ),
    "other disposition types": (
        form(
            (IMAGE.replace("form-data", "file"), JPEG),
            (IMAGE.replace("form-data", "attachment"), JPEG),
            (IMAGE.replace("form-data", "inline"), JPEG),
        ),
        [FILE] * 3,
    ),
    "no closing delimiter": (form((IMAGE, JPEG), end=b""), [FILE]),
    "no closing delimiter and no last line end": (form((IMAGE, JPEG), end=b"")[:-2], [FILE]),
    "two parts, no closing delimiter": (form((IMAGE, JPEG), (IMAGE, JPEG), end=b""), [FILE] * 2),
    "no last hyphens": (form((IMAGE, JPEG), end=b"--b\r\n"), [FILE]),
    "one last hyphen": (form((IMAGE, JPEG), end=b"--b-"), [FILE]),
    "no last line end": (form((IMAGE, JPEG), end=b"--b--"), [FILE]),
    "closing delimiter on the last line": (
        form((IMAGE, JPEG), end=b"")[:-2] + b"--b--\r\n",
        [FILE],
    ),
    "closing delimiter on the last line of a text": (
        form(("Content-Disposition: form-data; name=url", b"http://a.example/b"), end=b"")[:-2]
        + b"--b--",
        [FormField("url", b"http://a.example/b")],
    ),
    "white space after delimiters": (
        form((IMAGE, JPEG), (IMAGE, JPEG), end=b"--b-- \t\r\n").replace(b"--b\r\n", b"--b \t\r\n"),
        [FILE] * 2,
    ),
    "byte order mark": (b"\xef\xbb\xbf" + form((IMAGE, JPEG)), [FILE]),
    "line end before the first delimiter": (b"\r\n" + form((IMAGE, JPEG)), [FILE]),
    "text before the first delimiter that mentions it": (
        b"not --b\r\n" + form((IMAGE, JPEG)),
        [FILE],
    ),
    "lines that start with the delimiter": (
        form((IMAGE, JPEG + b"\r\n--bb\r\n--b \tb\r\n")),
        [FormField("image", JPEG + b"\r\n--bb\r\n--b \tb\r\n", "a.jpg")],
    ),
    "part without content or empty line": (
        b"--b\r\n" + IMAGE.encode() + b"\r\n\r\n--b--\r\n",
        [FormField("image", b"", "a.jpg")],
    ),
    "part without a name": (
        form(("Content-Disposition: form-data", JPEG)),
        [FormField("", JPEG)],
    ),
    "nested multipart/mixed": (
        form(
            (
                "Content-Disposition: form-data; name=image\n"
                "Content-Type: multipart/mixed; boundary=n",
                NESTED,
            )
        ),
        TWO,
    ),
    "nested parts without a disposition": (
        form(
            (
                "Content-Disposition: form-data; name=image\n"
                "Content-Type: multipart/mixed; boundary=n",
                b"--n\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG + b"\r\n--n\r\n\r\n" + JPEG,
            )
        ),
        [FormField("image", JPEG)] * 2,
    ),
}


@pytest.mark.parametrize(("body", "fields"), FORMS.values(), ids=FORMS)
def test_form(body: bytes, fields: list[FormField]) -> None:
    assert read_multipart({"boundary": "b"}, body) == fields
