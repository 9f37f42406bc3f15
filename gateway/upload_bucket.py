"""Uploads of pictures that are too large for a request.

`POST /uploads` returns an address to send one picture to. A later request refers to the picture
in the field `s3`, or as a `url` of the form ``s3://bucket/key``. Only keys that `POST /uploads`
returned are read. `UploadBucket` hides how the bucket is accessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

from gateway.deadline import Deadline
from gateway.errors import MalformedBody, UnknownRoute, UnsupportedMediaType, UrlNotAllowed
from gateway.event import Request, decode_body

SCHEME = "s3://"
PREFIX = "uploads/"
KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{32}}")
"""Keys that `POST /uploads` returns. They have 192 random bits, so only their sender knows them."""

MAX_BODY_BYTES = 4096
MEDIA_TYPE = re.compile(r"image/[a-z0-9][a-z0-9.+-]{0,63}")
DEFAULT_MEDIA_TYPE = "image/jpeg"
"""Only a label: the service detects the format from the file."""


class Source(Protocol):
    """Reads pictures that are not in the request itself."""

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """Return a picture's file.

        Raises:
            PartError: The picture is not available.
        """


class UploadBucket(Protocol):
    """A bucket that clients may upload pictures to.

    Attributes:
        origin: Web origin of the upload address, "" if there is none. Pages need it for their
            content security policy.
    """

    @property
    def origin(self) -> str: ...  # noqa: D102  described above

    def offer(self, content_type: str) -> Mapping[str, Any]:
        """Return the response of `POST /uploads`: address, form fields, key and limits.

        Raises:
            UnknownRoute: Uploads are disabled.
        """

    def reader(self) -> Source:
        """Return a thread-safe reader for the pictures of one request."""


class NoUploadBucket:
    """Uploads are disabled: every upload and every s3 uri is refused."""

    origin = ""

    def offer(self, content_type: str) -> Mapping[str, Any]:
        """Refuse the upload."""
        raise UnknownRoute(
            "Uploads are disabled (UPLOAD_BUCKET is not set). "
            "Send the picture itself to one of the picture routes, within the request limit."
        )

    def reader(self) -> Source:
        """Return this object, which refuses every uri."""
        return self

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """Refuse the upload."""
        raise UrlNotAllowed("Uploads are disabled. Send the picture itself.")


def parse_upload(request: Request) -> str:
    """Return the media type that a client of `POST /uploads` wants to upload.

    Args:
        request: Request with an empty body, or JSON such as ``{"content_type": "image/png"}``.

    Raises:
        MalformedBody: The body is not a JSON object.
        TooLarge: The body exceeds `MAX_BODY_BYTES`.
        UnsupportedMediaType: The media type is not `image/*`.
    """
    if not request.body:
        return DEFAULT_MEDIA_TYPE
    try:
        fields = json.loads(decode_body(request, MAX_BODY_BYTES))
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise MalformedBody(
            'The body must be empty, or JSON such as {"content_type": "image/png"}.'
        )
    media_type = fields.get("content_type", DEFAULT_MEDIA_TYPE)
    if not isinstance(media_type, str) or not MEDIA_TYPE.fullmatch(media_type.strip().lower()):
        raise UnsupportedMediaType(
            f"content_type {str(media_type)[:80]!r} is not supported. Send an image/* type without "
            "parameters."
        )
    return media_type.strip().lower()


def own_key(url: str, bucket: str) -> str:
    """Return the key of ``s3://bucket/key`` if `POST /uploads` can have returned it.

    Raises:
        UrlNotAllowed: The uri names another bucket, or another kind of key.
    """
    key = url.removeprefix(f"{SCHEME}{bucket}/")
    if key == url or not KEY.fullmatch(key):
        raise UrlNotAllowed(
            "Only s3 uris that POST /uploads returned are opened. Send the value of s3 unchanged."
        )
    return key
