"""The bucket that clients may send large pictures to (docs/scale.md).

A presigned POST lets a client write one object, of one media type and at most so many bytes, for a
few minutes, and nothing else
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html). The bucket's lifecycle
rule deletes it after a day.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from gateway.deadline import Deadline
from gateway.errors import PartError, UrlTimeout, UrlTooLarge, UrlUnreachable
from gateway.upload_bucket import (
    DEFAULT_MEDIA_TYPE,
    PREFIX,
    NoUploadBucket,
    Source,
    UploadBucket,
    own_key,
)
from service.settings import Settings

EXPIRES_SECONDS = 300
CHUNK_BYTES = 1 << 20
TOGETHER = 4
"""The largest uploads that fit into one request: all of them are in memory until it is answered."""

MISSING = ("NoSuchKey", "404", "AccessDenied", "403")
"""S3 says "forbidden" of what is missing to who may not list the bucket, and the role may not."""

logger = logging.getLogger("matchvec")


def uploads_of(settings: Settings) -> UploadBucket:
    """The bucket of the settings, or none."""
    if not settings.upload_bucket:
        return NoUploadBucket()
    return S3Uploads(
        settings.upload_bucket, settings.max_upload_bytes, settings.url_timeout_seconds
    )


class S3Uploads:
    """UploadBucket to a bucket of S3.

    Args:
        bucket: Its name.
        max_bytes: Of one picture.
        timeout_seconds: For reading one, from connection to last byte.
    """

    def __init__(self, bucket: str, max_bytes: int, timeout_seconds: float) -> None:
        """Connect to nothing yet."""
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._lock = Lock()
        self._client: Any = None

    @property
    def origin(self) -> str:
        """Scheme, host and port that pictures are sent to."""
        split = urlsplit(self.offer(DEFAULT_MEDIA_TYPE)["url"])
        return f"{split.scheme}://{split.netloc}"

    def offer(self, content_type: str) -> Mapping[str, Any]:
        """Where one picture may be sent, and how it is named afterwards."""
        key = PREFIX + secrets.token_urlsafe(24)
        post = self.client().generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[
                {"Content-Type": content_type},
                ["content-length-range", 1, self._max_bytes],
            ],
            ExpiresIn=EXPIRES_SECONDS,
        )
        return {
            "url": post["url"],
            "fields": post["fields"],
            "s3": f"s3://{self._bucket}/{key}",
            "max_bytes": self._max_bytes,
            "expires_in": EXPIRES_SECONDS,
        }

    def reader(self) -> Source:
        """Reads the uploads of one request, `TOGETHER` times the largest at most."""
        return _Reader(self, self._bucket, self._max_bytes, self._timeout_seconds)

    def client(self) -> Any:  # noqa: ANN401  boto3 makes its classes at run time
        """boto3's client, made when it is first needed: 0.3 s that no start pays."""
        with self._lock:
            if self._client is None:
                self._client = _client(self._timeout_seconds)
            return self._client


class _Reader:
    """Reads uploads until the request has had its share of memory."""

    def __init__(
        self, uploads: S3Uploads, bucket: str, max_bytes: int, timeout_seconds: float
    ) -> None:
        self._uploads = uploads
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._lock = Lock()
        self._bytes_left = TOGETHER * max_bytes

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """An upload's content.

        Raises:
            UrlNotAllowed: The uri is not one that `POST /uploads` gave out.
            UrlUnreachable: There is no such upload, or S3 did not deliver it.
            UrlTimeout: It took too long.
            UrlTooLarge: It, or all of the request together, is over the limit.
        """
        key = own_key(url, self._bucket)
        deadline = deadline.earlier(self._timeout_seconds)
        client = self._uploads.client()
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = client.get_object(Bucket=self._bucket, Key=key)
            with answer["Body"] as body:
                return self._read(body, answer["ContentLength"], deadline)
        except (BotoCoreError, ClientError) as error:
            raise _refusal(error) from error

    def _read(self, body: Any, size: int, deadline: Deadline) -> bytes:  # noqa: ANN401  as above
        self._take(size)
        chunks: list[bytes] = []
        while chunk := body.read(CHUNK_BYTES):
            chunks.append(chunk)
            if deadline.remaining == 0:
                raise UrlTimeout(f"S3 did not deliver within {self._timeout_seconds:g} seconds.")
        return b"".join(chunks)

    def _take(self, size: int) -> None:
        if size > self._max_bytes:
            raise UrlTooLarge(f"The upload has {size} bytes, the limit is {self._max_bytes}.")
        with self._lock:
            if size > self._bytes_left:
                raise UrlTooLarge(
                    f"The uploads of one request may have {TOGETHER * self._max_bytes} bytes "
                    "together: name fewer of them in one request."
                )
            self._bytes_left -= size


def _client(timeout_seconds: float) -> Any:  # noqa: ANN401  as above
    # Imported here: only who sends or names an upload pays for it.
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        # The bucket's own address in its region. The global one of other regions redirects for the
        # first hours of a bucket, which browsers do not follow in a form that is posted.
        s3={"addressing_style": "virtual"},
        connect_timeout=min(2, timeout_seconds),
        read_timeout=timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
        max_pool_connections=16,
    )
    make: Any = boto3.client
    return make("s3", config=config)


def _refusal(error: Exception) -> PartError:
    from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    if code in MISSING:
        return UrlUnreachable(
            "There is no such upload: it was not sent, or was deleted, as all are after a day. "
            "Send it anew, by POST /uploads."
        )
    # Without the key, which lets its owner's picture be asked about.
    logger.warning("S3 did not deliver an upload: %s %s", type(error).__name__, code)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return UrlTimeout("S3 did not deliver the upload in time.")
    return UrlUnreachable("S3 did not deliver the upload: try again.")
