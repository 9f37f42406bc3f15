"""Uploads through a bucket: the handler with moto's S3 on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from gateway.deadline import Deadline
from gateway.errors import PartError
from gateway.routes import Route
from service.picture_answers import PICTURE_ROUTES
from service.settings import Settings
from service.upload_bucket import S3Uploads
from tests.support.answers import check_well_formed
from tests.support.events import form_event, rest_event, upload
from tests.support.handlers import Handler, make_handler
from tests.support.models import fake_pipeline
from tests.support.object_store import ObjectStore, object_store
from tests.support.pictures import plain
from tests.support.uploads import BUCKET, REGION, LocalS3, local_s3, send

ROOT = Path(__file__).parent.parent.parent
NEVER_SENT = f"s3://{BUCKET}/uploads/{'a' * 32}"
MAX_BYTES = 1000


@pytest.fixture(scope="module")
def s3() -> Iterator[LocalS3]:
    with local_s3() as s3:
        yield s3


@pytest.fixture
def uploads(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> S3Uploads:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return S3Uploads(BUCKET, MAX_BYTES, timeout_seconds=5)


@pytest.fixture
def handler_with_bucket(uploads: S3Uploads) -> Handler:
    settings = Settings.from_environment({"UPLOAD_BUCKET": BUCKET})
    return make_handler(settings, load=lambda _: fake_pipeline(), uploads=uploads)


def posted(handler: Handler, event: dict[str, Any]) -> Any:
    response = handler(event, None)
    check_well_formed(response)
    assert response["statusCode"] == 200, response["body"]
    return json.loads(response["body"])


def sent(uploads: S3Uploads, content: bytes) -> str:
    offer = uploads.offer("image/png")
    send(offer, content)
    uri: str = offer["s3"]
    return uri


# What is offered


def policy_of(offer: Any) -> Any:
    return json.loads(b64decode(offer["fields"]["policy"]))


def test_the_answer_of_uploads(handler_with_bucket: Handler, s3: LocalS3) -> None:
    event = rest_event("/uploads", "application/json", b'{"content_type": "image/png"}')
    offer = posted(handler_with_bucket, event)

    assert set(offer) == {"url", "fields", "s3", "max_bytes", "expires_in"}
    assert offer["url"] == f"{s3.url}/{BUCKET}"
    assert (offer["max_bytes"], offer["expires_in"]) == (MAX_BYTES, 300)
    assert re.fullmatch(rf"s3://{BUCKET}/uploads/[\w-]{{32}}", offer["s3"])
    assert offer["s3"] == f"s3://{BUCKET}/{offer['fields']['key']}"
    assert offer["fields"]["Content-Type"] == "image/png"


@pytest.mark.promise("upload-form")
def test_a_form_is_good_for_one_object_of_one_type_and_size(uploads: S3Uploads) -> None:
    offer = uploads.offer("image/png")
    fields = offer["fields"]
    scope = f"testing/{fields['x-amz-date'][:8]}/{REGION}/s3/aws4_request"

    def order(condition: Any) -> str:
        return json.dumps(condition)

    assert sorted(policy_of(offer)["conditions"], key=order) == sorted(
        [
            {"bucket": BUCKET},
            {"key": fields["key"]},
            {"Content-Type": "image/png"},
            ["content-length-range", 1, MAX_BYTES],
            {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
            {"x-amz-credential": scope},
            {"x-amz-date": fields["x-amz-date"]},
        ],
        key=order,
    )


@pytest.mark.promise("upload-form")
def test_a_form_is_signed(uploads: S3Uploads) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html"""
    fields = uploads.offer("image/png")["fields"]
    scope = [fields["x-amz-date"][:8], REGION, "s3", "aws4_request", fields["policy"]]
    signature = reduce(
        lambda key, text: hmac.digest(key, text.encode(), hashlib.sha256),
        scope,
        b"AWS4testing-secret",
    )
    assert fields["x-amz-signature"] == signature.hex()


def test_every_key_is_another(uploads: S3Uploads) -> None:
    assert len({uploads.offer("image/png")["s3"] for _ in range(20)}) == 20


ORIGINS = {
    "first region": ("us-east-1", "https://big-pictures.s3.amazonaws.com"),
    "other region": ("eu-west-3", "https://big-pictures.s3.eu-west-3.amazonaws.com"),
    "China": ("cn-north-1", "https://big-pictures.s3.cn-north-1.amazonaws.com.cn"),
}


@pytest.mark.parametrize(("region", "origin"), ORIGINS.values(), ids=ORIGINS)
def test_the_bucket_is_addressed_in_its_region(
    region: str, origin: str, uploads: S3Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert uploads
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    assert S3Uploads("big-pictures", MAX_BYTES, timeout_seconds=5).origin == origin


def test_the_try_page_may_speak_to_the_bucket(
    handler_with_bucket: Handler, handler: Handler, s3: LocalS3
) -> None:
    def policy(handler: Handler, path: str) -> str:
        headers = handler(rest_event(path, method="GET"), None)["headers"]
        [sources] = re.findall("connect-src ([^;]*);", headers["Content-Security-Policy"])
        return str(sources)

    assert policy(handler_with_bucket, "/") == f"'self' {s3.url}"
    assert policy(handler_with_bucket, "/docs") == "'self'"
    assert policy(handler, "/") == "'self'"


# What is read


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
