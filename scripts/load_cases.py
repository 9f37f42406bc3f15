"""The requests of the load test and their expected answers."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
CAR = (SAMPLES / "car.jpg").read_bytes()
BUS = (SAMPLES / "bus.jpg").read_bytes()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its expected answer.

    Attributes:
        method: HTTP method.
        path: Path with query.
        answer: JSON of the answer, after `view`.
        status: HTTP status.
        failed: The `X-Failed-Images` field; "" for none.
        files: Form fields, in the notation of `requests`.
        data: Body of a request that is not a form.
        headers: Further header fields.
        view: Selects the compared part of the answer, because scores differ between processors.
    """

    method: str
    path: str
    answer: Any
    status: int = 200
    failed: str = ""
    files: list[tuple[str, Any]] | None = None
    data: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    view: Callable[[Any], Any] = lambda answer: answer


Case = Callable[[int], Exchange]
"""Returns the request with a number. Pictures differ between numbers, so an answer to another
client's request is detected."""


def error_code(answer: Any) -> Any:  # noqa: ANN401  JSON can be anything
    """Return the error code of a refused request."""
    return answer["error"]["code"]


def class_names(answer: Any) -> list[list[str]]:  # noqa: ANN401
    """Return the class names found in each picture."""
    return [[each["class_name"] for each in picture] for picture in answer]


def size_of(number: int) -> tuple[int, int]:
    """Return width and height, which differ for each of the first 8,633 numbers."""
    return 1 + number % 97, 1 + number % 89


def picture(number: int, file_format: str = "PNG") -> bytes:
    """Return a gray picture of the size of that number."""
    buffer = io.BytesIO()
    Image.new("RGB", size_of(number), "gray").save(buffer, file_format)
    return buffer.getvalue()


def _shape(number: int) -> Exchange:
    width, height = size_of(number)
    return Exchange(
        "POST", "/shape", [[height, width, 3]], files=[("image", ("a.png", picture(number)))]
    )


def _nbytes(number: int) -> Exchange:
    width, height = size_of(number)
    headers = {"Content-Type": "image/jpeg"}
    return Exchange(
        "POST", "/nbytes", [3 * width * height], data=picture(number, "JPEG"), headers=headers
    )


def _good_and_bad(number: int) -> Exchange:
    width, height = size_of(number)
    files = [
        ("image", ("a.jpg", picture(number)[:40])),
        ("image", ("b.png", picture(number))),
        ("comment", (None, "not an image field")),
        ("url", (None, "file:///etc/passwd")),
        ("url", (None, "http://127.0.0.1/")),
        ("url", (None, "http://169.254.169.254/latest/meta-data/")),
        ("image", ("c.webp", picture(number, "WEBP"))),
    ]
    shape = [height, width, 3]
    failed = "0=not_an_image, 2=url_not_allowed, 3=url_not_allowed, 4=url_not_allowed"
    return Exchange("POST", "/shape", [[], shape, [], [], [], shape], failed=failed, files=files)


def _predict(number: int) -> Exchange:
    files = [("image", ("car.jpg", CAR)), ("image", ("bus.jpg", BUS))]
    return Exchange("POST", "/predict?top=1", [["car"], ["bus"]], files=files, view=class_names)


def _nothing_found(number: int) -> Exchange:
    files = [("image", ("a.png", picture(number)))]
    return Exchange("POST", "/object_detection?threshold=0.9", [[]], files=files)


def _refused(
    status: int, code: str, method: str, path: str, data: bytes | None = None, **headers: str
) -> Case:
    """Return a case whose request is the same for every number."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    exchange = Exchange(method, path, code, status, data=data, headers=fields, view=error_code)
    return lambda _: exchange


FORM_TYPE = "multipart/form-data; boundary=b"
CASES: dict[str, Case] = {
    "shape": _shape,
    "nbytes, raw": _nbytes,
    "valid and invalid parts": _good_and_bad,
    "predict": _predict,
    "nothing found": _nothing_found,
    "health": lambda _: Exchange("GET", "/health", "ok", view=lambda answer: answer["status"]),
    "bad option": _refused(
        400, "bad_option", "POST", "/predict?top=99", b"x", Content_Type="image/png"
    ),
    "no body": _refused(400, "malformed_body", "POST", "/shape"),
    "cut-off form": lambda _: Exchange(
        "POST",
        "/shape",
        [[]],
        failed="0=not_an_image",
        data=b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx',
        headers={"Content-Type": FORM_TYPE},
    ),
    "no form": _refused(
        415, "unsupported_media_type", "POST", "/shape", b"a,b", Content_Type="text/csv"
    ),
    "empty JSON": _refused(
        400, "no_image", "POST", "/shape", b"{}", Content_Type="application/json"
    ),
    "no route": _refused(404, "unknown_route", "GET", "/nowhere"),
    "wrong method": _refused(405, "method_not_allowed", "GET", "/predict"),
    "many fields": _refused(
        413,
        "too_large",
        "POST",
        "/shape",
        b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n\r\n' * 33 + b"--b--\r\n",
        Content_Type=FORM_TYPE,
    ),
}
