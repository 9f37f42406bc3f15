"""Forms that clients upload to a bucket with: the handler with moto's S3 on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64decode
from functools import reduce
from typing import Any

import pytest

from service.upload_bucket import S3Uploads
from tests.support.events import rest_event
from tests.support.handlers import Handler
from tests.support.uploads import BUCKET, MAX_BYTES, REGION, LocalS3, posted


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
