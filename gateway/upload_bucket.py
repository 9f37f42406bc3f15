"""Pictures that are too large for a request: sent to a bucket first, then named in a request.

`POST /uploads` answers where one picture may be sent; the field `s3` of the picture routes, or a
`url` of the form ``s3://bucket/key``, names it. Only what `POST /uploads` gave out can be named: no
other bucket, no other key. `UploadBucket` hides how the bucket is accessed.
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
"""What `POST /uploads` gives out: 192 random bits, so that a key is known to who sent it alone."""

MAX_BODY_BYTES = 4096
MEDIA_TYPE = re.compile(r"image/[a-z0-9][a-z0-9.+-]{0,63}")
DEFAULT_MEDIA_TYPE = "image/jpeg"
"""Only a label: what the file is, the service reads from the file."""


class Source(Protocol):
    """Where pictures come from that did not come with the request."""

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """A picture's file.

        Raises:
            PartError: It can't be had.
        """


class UploadBucket(Protocol):
    """A bucket that clients may send pictures to.

    Attributes:
        origin: Of the address that pictures are sent to, "" where there is none; a page has to
            name it to be let through by browsers.
    """

    @property
    def origin(self) -> str: ...  # noqa: D102  described above

    def offer(self, content_type: str) -> Mapping[str, Any]:
        """The answer of `POST /uploads`: address, form fields, name and limits of one upload.

        Raises:
            UnknownRoute: No uploads are taken.
        """

    def reader(self) -> Source:
        """Reads the pictures of one request; threads may share it."""


class NoUploadBucket:
    """No bucket: nothing is taken, and no s3 uri is opened."""

    origin = ""

    def offer(self, content_type: str) -> Mapping[str, Any]:
        """Refuse."""
        raise UnknownRoute(
            "This service takes no uploads apart from requests (UPLOAD_BUCKET is not set): "
            "send the picture itself to one of the picture routes, below the limit of a request."
        )

    def reader(self) -> Source:
        """Refuses everything."""
        return self

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """Refuse."""
        raise UrlNotAllowed("No uploads are opened here: send the picture itself.")


def parse_upload(request: Request) -> str:
    """The media type that a client of `POST /uploads` is going to send.

    Args:
        request: Its body is empty, or JSON such as ``{"content_type": "image/png"}``.

    Raises:
        MalformedBody: The body is no JSON object.
        TooLarge: It is over `MAX_BODY_BYTES`.
        UnsupportedMediaType: The media type is not one of pictures.
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
            f"content_type {str(media_type)[:80]!r} is not that of a picture: send image/*, "
            "without parameters."
        )
    return media_type.strip().lower()


def own_key(url: str, bucket: str) -> str:
    """The key of ``s3://bucket/key``, if it is one that `POST /uploads` gave out.

    Raises:
        UrlNotAllowed: It is another bucket's, or no such key.
    """
    key = url.removeprefix(f"{SCHEME}{bucket}/")
    if key == url or not KEY.fullmatch(key):
        raise UrlNotAllowed(
            "Only what POST /uploads answered under s3 is opened, as it stands there."
        )
    return key
