from __future__ import annotations

import pytest

from gateway.deadline import Deadline
from gateway.errors import GatewayError, UnknownRoute, UrlNotAllowed
from gateway.event import parse_event
from gateway.upload_bucket import NoUploadBucket, own_key, parse_upload
from tests.support.events import rest_event

KEY = "uploads/q0vY7mR3k1b9Zs5tXw2uLd8nHf4cGj6-"

TAKEN = {
    "nothing": (b"", "image/jpeg"),
    "no content type": (b"{}", "image/jpeg"),
    "png": (b'{"content_type": "image/png"}', "image/png"),
    "capitals and spaces": (b'{"content_type": " Image/JPEG "}', "image/jpeg"),
    "vendor's": (b'{"content_type": "image/vnd.ms-photo"}', "image/vnd.ms-photo"),
    "further fields": (b'{"content_type": "image/webp", "name": "a"}', "image/webp"),
}


@pytest.mark.parametrize(("body", "media_type"), TAKEN.values(), ids=TAKEN)
def test_media_type(body: bytes, media_type: str) -> None:
    event = rest_event("/uploads", "application/json", body or None)
    assert parse_upload(parse_event(event, None)) == media_type


def test_a_body_that_the_gateway_hands_over_as_text() -> None:
    event = rest_event("/uploads", "application/json")
    event |= {"body": '{"content_type": "image/gif"}', "isBase64Encoded": False}
    assert parse_upload(parse_event(event, None)) == "image/gif"


REFUSED = {
    "no JSON": (b"image/png", "malformed_body"),
    "cut off": (b'{"content_type": "image/p', "malformed_body"),
    "not text": (b"\xff\xfe\x00", "malformed_body"),
    "an array": (b'["image/png"]', "malformed_body"),
    "nested without end": (b"[" * 3000, "malformed_body"),
    "a picture": (b"\xff\xd8\xff" * 2000, "too_large"),
    "text": (b'{"content_type": "text/html"}', "unsupported_media_type"),
    "a number": (b'{"content_type": 7}', "unsupported_media_type"),
    "null": (b'{"content_type": null}', "unsupported_media_type"),
    "any": (b'{"content_type": "image/*"}', "unsupported_media_type"),
    "no subtype": (b'{"content_type": "image/"}', "unsupported_media_type"),
    "a parameter": (b'{"content_type": "image/png; q=1"}', "unsupported_media_type"),
    "two lines": (b'{"content_type": "image/png\\r\\nx: y"}', "unsupported_media_type"),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(body: bytes, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        parse_upload(parse_event(rest_event("/uploads", "application/json", body), None))
    assert caught.value.code == code


def test_a_key_of_ours() -> None:
    assert own_key(f"s3://pictures/{KEY}", "pictures") == KEY


FOREIGN = {
    "other bucket": f"s3://others/{KEY}",
    "longer bucket": f"s3://pictures2/{KEY}",
    "bucket above": f"s3://s3://pictures/{KEY}",
    "other prefix": "s3://pictures/models/" + KEY[8:],
    "no prefix": f"s3://pictures/{KEY[8:]}",
    "prefix alone": "s3://pictures/uploads/",
    "too short": f"s3://pictures/{KEY[:-1]}",
    "too long": f"s3://pictures/{KEY}a",
    "below": f"s3://pictures/{KEY}/a",
    "dots": "s3://pictures/uploads/../" + KEY[8:-3],
    "percent": "s3://pictures/uploads/%2e" + KEY[11:],
    "line end": f"s3://pictures/{KEY}\n",
    "query": f"s3://pictures/{KEY}?versionId=1",
    "accents": f"s3://pictures/{KEY[:-1]}é",
    "other scheme": f"S3://pictures/{KEY}",
    "web": f"https://pictures.s3.amazonaws.com/{KEY}",
    "arn": f"arn:aws:s3:::pictures/{KEY}",
    "key alone": KEY,
    "nothing": "",
}


@pytest.mark.parametrize("url", FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_ours_is_not_opened(url: str) -> None:
    with pytest.raises(UrlNotAllowed):
        own_key(url, "pictures")


def test_without_a_bucket_nothing_is_taken_or_opened() -> None:
    with pytest.raises(UnknownRoute, match="UPLOAD_BUCKET"):
        NoUploadBucket().offer("image/png")
    with pytest.raises(UrlNotAllowed):
        NoUploadBucket().reader().fetch(f"s3://pictures/{KEY}", Deadline.after(1))
    assert NoUploadBucket().origin == ""
