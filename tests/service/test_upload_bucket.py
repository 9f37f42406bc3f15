"""Uploads through a bucket: the handler with moto's S3 on loopback."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.deadline import Deadline
from gateway.errors import PartError
from gateway.routes import Route
from service.picture_answers import PICTURE_ROUTES
from service.upload_bucket import S3Uploads
from tests.support.events import form_event, rest_event, upload
from tests.support.handlers import Handler
from tests.support.object_store import ObjectStore, object_store
from tests.support.pictures import plain
from tests.support.uploads import BUCKET, MAX_BYTES, LocalS3, posted, send

ROOT = Path(__file__).parent.parent.parent
NEVER_SENT = f"s3://{BUCKET}/uploads/{'a' * 32}"


def sent(uploads: S3Uploads, content: bytes) -> str:
    offer = uploads.offer("image/png")
    send(offer, content)
    uri: str = offer["s3"]
    return uri


@pytest.mark.parametrize("route", PICTURE_ROUTES)
def test_an_upload_is_answered_like_any_picture(
    route: Route, handler_with_bucket: Handler, uploads: S3Uploads
) -> None:
    uri = sent(uploads, plain())
    fields = [("s3", uri), upload(plain()), ("url", uri), ("s3", f" {uri}\n")]
    answer = posted(handler_with_bucket, form_event(route.path, *fields))
    if PICTURE_ROUTES[route].has_details:
        answer = [image["predictions"] for image in answer["images"]]
    first, *others = answer
    assert first
    assert others == [first] * 3


def test_details_name_the_field_and_the_uri(
    handler_with_bucket: Handler, uploads: S3Uploads
) -> None:
    uri = sent(uploads, plain())
    event = form_event("/shape", ("s3", uri), ("url", uri), query={"details": "true"})
    images = posted(handler_with_bucket, event)["images"]
    assert [(each["field"], each["filename"]) for each in images] == [("s3", uri), ("url", uri)]
    assert [each["error"] for each in images] == [None, None]
    assert images[0]["timing_ms"]["fetch"] > 0


def codes(handler: Handler, *fields: Any) -> list[str | None]:
    event = form_event("/shape", *fields, query={"details": "true"})
    images = posted(handler, event)["images"]
    return [each["error"] and each["error"]["code"] for each in images]


@pytest.mark.promise("upload-keys")
def test_each_failure_has_its_code_and_affects_no_other_picture(
    handler_with_bucket: Handler, uploads: S3Uploads, s3: LocalS3
) -> None:
    large = NEVER_SENT.replace("aaaa", "bbbb")
    key = large.removeprefix(f"s3://{BUCKET}/")
    s3.client().put_object(Bucket=BUCKET, Key=key, Body=b"x" * (MAX_BYTES + 1))
    s3.client().put_object(Bucket=BUCKET, Key="models/model.onnx", Body=plain())
    table = {
        "sent": (("s3", sent(uploads, plain())), None),
        "never sent": (("s3", NEVER_SENT), "url_unreachable"),
        "never sent, as a url": (("url", NEVER_SENT), "url_unreachable"),
        "too large": (("s3", large), "url_too_large"),
        "no picture": (("s3", sent(uploads, b"text")), "not_an_image"),
        "other bucket": (("s3", NEVER_SENT.replace(BUCKET, "others")), "url_not_allowed"),
        "other prefix": (("s3", f"s3://{BUCKET}/models/model.onnx"), "url_not_allowed"),
        "other prefix, as a url": (("url", f"s3://{BUCKET}/models/model.onnx"), "url_not_allowed"),
        "a url in the wrong field": (("s3", "https://example.com/a.jpg"), "url_not_allowed"),
        "a file": (upload(plain()), None),
    }
    found = codes(handler_with_bucket, *(field for field, _ in table.values()))
    assert dict(zip(table, found, strict=True)) == {name: code for name, (_, code) in table.items()}


def test_uploads_count_as_pictures_and_not_as_urls(
    handler_with_bucket: Handler, uploads: S3Uploads
) -> None:
    uri = sent(uploads, plain())
    assert codes(handler_with_bucket, *[("s3", uri)] * 9) == [None] * 9
    response = handler_with_bucket(form_event("/shape", *[("s3", uri)] * 33), None)
    assert response["statusCode"] == 413


@pytest.mark.promise("upload-limits")
def test_uploads_of_one_request_have_a_limit_together(uploads: S3Uploads) -> None:
    uri = sent(uploads, b"x" * MAX_BYTES)
    reader = uploads.reader()
    for _ in range(4):
        assert len(reader.fetch(uri, Deadline.after(5))) == MAX_BYTES
    with pytest.raises(PartError) as caught:
        reader.fetch(uri, Deadline.after(5))
    assert caught.value.code == "url_too_large"
    assert uploads.reader().fetch(uri, Deadline.after(5))


@pytest.mark.promise("upload-limits")
def test_a_deadline_that_has_passed(uploads: S3Uploads) -> None:
    uri = sent(uploads, plain())
    with pytest.raises(PartError) as caught:
        uploads.reader().fetch(uri, Deadline.after(0))
    assert caught.value.code == "url_timeout"


def test_uploads_are_read_in_parallel(
    handler_with_bucket: Handler, uploads: S3Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read waits for the other three."""
    uris = [sent(uploads, plain()) for _ in range(4)]
    all_four = threading.Barrier(4, timeout=5)
    client = uploads.client()
    get_object = client.get_object

    def waiting(**arguments: Any) -> Any:
        all_four.wait()
        return get_object(**arguments)

    monkeypatch.setattr(client, "get_object", waiting)
    assert codes(handler_with_bucket, *(("s3", uri) for uri in uris)) == [None] * 4


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    with object_store(monkeypatch) as store:
        yield store


def test_an_s3_that_fails(failing: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    failing.is_failing = True
    reader = S3Uploads(BUCKET, MAX_BYTES, timeout_seconds=5).reader()
    with caplog.at_level(logging.WARNING), pytest.raises(PartError) as caught:
        reader.fetch(NEVER_SENT, Deadline.after(5))
    assert caught.value.code == "url_unreachable"
    assert caplog.records
    assert "uploads/" not in caplog.text, "a client that knows the key can use the picture"


# Off


def test_without_a_bucket(handler: Handler) -> None:
    response = handler(rest_event("/uploads"), None)
    assert (response["statusCode"], json.loads(response["body"])["error"]["code"]) == (
        404,
        "unknown_route",
    )
    fields = [
        ("s3", NEVER_SENT),
        ("url", NEVER_SENT),
        ("s3", "https://example.com/"),
        upload(plain()),
    ]
    assert codes(handler, *fields) == ["url_not_allowed"] * 3 + [None]


def test_a_start_and_a_picture_load_no_boto3() -> None:
    code = (
        "import sys, os\n"
        f"os.environ['UPLOAD_BUCKET'] = {BUCKET!r}\n"
        "from lambda_function import lambda_handler_classification as handler\n"
        "from tests.support.events import form_event, upload\n"
        "from tests.support.pictures import plain\n"
        "print(handler(form_event('/shape', upload(plain())), None)['statusCode'])\n"
        "print(handler(form_event('/shape', ('s3', 's3://other/key')), None)['statusCode'])\n"
        "print('boto3' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["200", "200", "False"]
