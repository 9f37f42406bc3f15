from __future__ import annotations

import pytest

from gateway.deadline import Deadline
from gateway.errors import GatewayError, UnknownRoute, UrlNotAllowed
from gateway.event import parse_event
from gateway.upload_bucket import NoUploadBucket, own_key, parse_upload
from tests.support.events import rest_event

KEY = "uploads/q0vY7mR3k1b9Zs5tXw2uLd8nHf4cGj6-"

ACCEPTED = {
    "empty": (b"", "image/jpeg"),
    "no content type": (b"{}", "image/jpeg"),
    "png": (b'{"content_type": "image/png"}', "image/png"),
    "capitals and spaces": (b'{"content_type": " Image/JPEG "}', "image/jpeg"),
    "vendor type": (b'{"content_type": "image/vnd.ms-photo"}', "image/vnd.ms-photo"),
    "further fields": (b'{"content_type": "image/webp", "name": "a"}', "image/webp"),
}


@pytest.mark.parametrize(("body", "media_type"), ACCEPTED.values(), ids=ACCEPTED)
def test_media_type(body: bytes, media_type: str) -> None:
    event = rest_event("/uploads", "application/json", body or None)
    assert parse_upload(parse_event(event, None)) == media_type


def test_a_text_body() -> None:
    event = rest_event("/uploads", "application/json")
    event |= {"body": '{"content_type": "image/gif"}', "isBase64Encoded": False}
    assert parse_upload(parse_event(event, None)) == "image/gif"


REFUSED = {
    "not JSON": (b"image/png", "malformed_body"),
    "truncated": (b'{"content_type": "image/p', "malformed_body"),
    "not text": (b"\xff\xfe\x00", "malformed_body"),
    "an array": (b'["image/png"]', "malformed_body"),
    "deeply nested": (b"[" * 3000, "malformed_body"),
    "a picture": (b"\xff\xd8\xff" * 2000, "too_large"),
    "text": (b'{"content_type": "text/html"}', "unsupported_media_type"),
    "a number": (b'{"content_type": 7}', "unsupported_media_type"),
    "null": (b'{"content_type": null}', "unsupported_media_type"),
    "any": (b'{"content_type": "image/*"}', "unsupported_media_type"),
    "no subtype": (b'{"content_type": "image/"}', "unsupported_media_type"),
    "a parameter": (b'{"content_type": "image/png; q=1"}', "unsupported_media_type"),
    "line break": (b'{"content_type": "image/png\\r\\nx: y"}', "unsupported_media_type"),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(body: bytes, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        parse_upload(parse_event(rest_event("/uploads", "application/json", body), None))
    assert caught.value.code == code


def test_own_key() -> None:
    assert own_key(f"s3://pictures/{KEY}", "pictures") == KEY


OTHER_URIS = {
    "other bucket": f"s3://others/{KEY}",
    "longer bucket": f"s3://pictures2/{KEY}",
    "nested uri": f"s3://s3://pictures/{KEY}",
    "other prefix": "s3://pictures/models/" + KEY[8:],
    "no prefix": f"s3://pictures/{KEY[8:]}",
    "prefix alone": "s3://pictures/uploads/",
    "too short": f"s3://pictures/{KEY[:-1]}",
    "too long": f"s3://pictures/{KEY}a",
    "longer path": f"s3://pictures/{KEY}/a",
    "dots": "s3://pictures/uploads/../" + KEY[8:-3],
    "percent": "s3://pictures/uploads/%2e" + KEY[11:],
    "line end": f"s3://pictures/{KEY}\n",
    "query": f"s3://pictures/{KEY}?versionId=1",
    "accents": f"s3://pictures/{KEY[:-1]}é",
    "other scheme": f"S3://pictures/{KEY}",
    "web": f"https://pictures.s3.amazonaws.com/{KEY}",
    "arn": f"arn:aws:s3:::pictures/{KEY}",
    "key alone": KEY,
    "empty": "",
}


@pytest.mark.promise("upload-keys")
@pytest.mark.parametrize("url", OTHER_URIS.values(), ids=OTHER_URIS)
def test_other_uris_are_refused(url: str) -> None:
    with pytest.raises(UrlNotAllowed):
        own_key(url, "pictures")


def test_no_upload_bucket() -> None:
    with pytest.raises(UnknownRoute):
        NoUploadBucket().offer("image/png")
    with pytest.raises(UrlNotAllowed):
        NoUploadBucket().reader().fetch(f"s3://pictures/{KEY}", Deadline.after(1))
    assert NoUploadBucket().origin == ""
