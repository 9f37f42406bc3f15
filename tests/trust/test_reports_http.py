"""Public reports, kept outside of the repository, are answered as their READMEs expect."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.deadline import Deadline
from service.settings import Settings
from tests.support.events import rest_event
from tests.support.handlers import Handler, make_handler
from tests.support.models import SHARED, fake_pipeline
from tests.support.network import FakeNetwork, http_answer

ROOT = Path(__file__).parents[2]
REPORTS = SHARED / "reports" / "http"
BB = "multipart/form-data; boundary=BB"
UNITY = "multipart/form-data; boundary=A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0"
URLENCODED = "application/x-www-form-urlencoded"
SMALL, OTHER = [8, 16, 3], [10, 12, 3]
BINARY_TYPES = yaml.safe_load((ROOT / "swagger.yaml").read_text())[
    "x-amazon-apigateway-binary-media-types"
]

pytestmark = pytest.mark.skipif(
    not REPORTS.is_dir(), reason="needs ../shared/reports/http, which is not part of the repository"
)

ANSWERS: dict[str, tuple[str, list[Any]]] = {
    "01_content_transfer_encoding/base64.bin": (BB, [SMALL]),
    "01_content_transfer_encoding/base64_lf.bin": (BB, [SMALL]),
    "02_no_closing_delimiter/unity.bin": (UNITY, [SMALL]),
    "02_no_closing_delimiter/delimiter_without_last_hyphens.bin": (BB, [SMALL]),
    "02_no_closing_delimiter/no_line_end_before_closing_delimiter.bin": (BB, [SMALL]),
    "03_disposition_file_attachment/file.bin": (BB, [SMALL]),
    "03_disposition_file_attachment/attachment.bin": (BB, [SMALL]),
    "03_disposition_file_attachment/inline.bin": (BB, [SMALL]),
    "05_bracketed_field_names/brackets.bin": (BB, [SMALL, OTHER]),
    "05_bracketed_field_names/indexes.bin": (BB, [SMALL, OTHER]),
    "05_bracketed_field_names/silent.bin": (BB, [SMALL, [], []]),
    "06_urlencoded_url/url.txt": (URLENCODED, [[], []]),
    "12_media_types_that_become_text/capitals_form.bin": (
        "Multipart/Form-Data; boundary=BB",
        [SMALL],
    ),
    "12_media_types_that_become_text/raw_0.bin": ("image/JPG", [SMALL]),
    "12_media_types_that_become_text/raw_1.bin": ("IMAGE/JPEG", [SMALL]),
    "12_media_types_that_become_text/raw_2.bin": ("image/x-png", [SMALL]),
    "12_media_types_that_become_text/raw_3.bin": ("image/jfif", [SMALL]),
    "12_media_types_that_become_text/raw_4.bin": ("image/*", [SMALL]),
    "12_media_types_that_become_text/raw_5.bin": ("image/heic", [SMALL]),
    "15_jpeg_without_end_marker/no_eoi.jpg": ("image/jpeg", [SMALL]),
    "15_jpeg_without_end_marker/no_eoi_ff_padding.jpg": ("image/jpeg", [SMALL]),
    "15_jpeg_without_end_marker/no_eoi_zero_padding.jpg": ("image/jpeg", [SMALL]),
    "16_base64_text_as_picture/field_base64.bin": (BB, [SMALL]),
    "16_base64_text_as_picture/field_data_url.bin": (BB, [SMALL]),
    "16_base64_text_as_picture/raw_base64.txt": ("image/jpeg", [SMALL]),
    "16_base64_text_as_picture/url_data_url.bin": (BB, [SMALL]),
}
ERRORS: dict[str, tuple[str, str, str]] = {
    "01_content_transfer_encoding/quoted_printable_url.bin": (BB, "url_unreachable", "host name"),
    "06_urlencoded_url/url.txt": (URLENCODED, "url_unreachable", "host name"),
    "16_base64_text_as_picture/field_url.bin": (BB, "not_an_image", "a url"),
    "19_invisible_character_before_url/zwsp.bin": (BB, "url_unreachable", "host name"),
    "19_invisible_character_before_url/bom.bin": (BB, "url_unreachable", "host name"),
}


@pytest.fixture(scope="module")
def shapes() -> Handler:
    """Return a handler whose network knows no host."""
    settings = Settings.from_environment({})
    return make_handler(settings, FakeNetwork().fetcher(), load=lambda _: fake_pipeline())


def post(
    handler: Handler, content_type: str, body: bytes, *, coding: str = "", details: bool = False
) -> Any:
    """Send a body as a REST API passes it on: as text unless its media type is binary."""
    query = {"details": "true"} if details else None
    event = rest_event("/shape", content_type, body, query=query)
    if content_type.partition(";")[0].lower() not in BINARY_TYPES:
        event |= {"body": body.decode("utf-8", "replace"), "isBase64Encoded": False}
    event["headers"]["Content-Encoding"] = coding
    return json.loads(handler(event, None)["body"])


@pytest.mark.parametrize(
    ("name", "content_type", "answer"), [(name, *rest) for name, rest in ANSWERS.items()]
)
def test_answer(name: str, content_type: str, answer: list[Any], shapes: Handler) -> None:
    assert post(shapes, content_type, (REPORTS / name).read_bytes()) == answer


@pytest.mark.parametrize(
    ("name", "content_type", "code", "words"), [(name, *rest) for name, rest in ERRORS.items()]
)
def test_error(name: str, content_type: str, code: str, words: str, shapes: Handler) -> None:
    body = (REPORTS / name).read_bytes()
    error = post(shapes, content_type, body, details=True)["images"][0]["error"]

    assert error["code"] == code
    assert words in error["message"]


def test_quoted_printable_is_decoded(shapes: Handler) -> None:
    body = (REPORTS / "01_content_transfer_encoding/quoted_printable_url.bin").read_bytes()

    [image] = post(shapes, BB, body, details=True)["images"]
    assert image["filename"] == "http://a.invalid/x=1"


@pytest.mark.parametrize(("name", "content_type"), [("form.gz", BB), ("picture.gz", "image/jpeg")])
def test_compressed_bodies(name: str, content_type: str, shapes: Handler) -> None:
    body = (REPORTS / "13_compressed_request_body" / name).read_bytes()

    assert post(shapes, content_type, body, coding="gzip") == [SMALL]


def test_a_url_stored_with_gzip() -> None:
    picture = (REPORTS / "01_content_transfer_encoding/small.jpg").read_bytes()
    answer = http_answer(gzip.compress(picture), headers=["Content-Encoding: gzip"])
    network = FakeNetwork({"a.example/b.jpg": answer})

    assert network.fetcher().fetch("http://a.example/b.jpg", Deadline.after(5)) == picture
