"""The S3 bucket that clients upload large pictures to (docs/scale.md).

A presigned POST allows a client to write one object of one media type and a limited size, for a few
minutes (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html). The bucket's
lifecycle rule deletes the object after a day.
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
MAX_FULL_SIZE_UPLOADS = 4
"""Uploads of the largest size per request: all are kept in memory until it is answered."""

MISSING = ("NoSuchKey", "404", "AccessDenied", "403")
"""Error codes of a missing key. Without ListBucket, S3 answers 403 for missing keys."""

logger = logging.getLogger("matchvec")


def uploads_of(settings: Settings) -> UploadBucket:
    """Return the configured bucket."""
    if not settings.upload_bucket:
        return NoUploadBucket()
    return S3Uploads(
        settings.upload_bucket, settings.max_upload_bytes, settings.url_timeout_seconds
    )


class S3Uploads:
    """An upload bucket in S3.

    Args:
        bucket: Name of the bucket.
        max_bytes: Size of the largest picture in bytes.
        timeout_seconds: Timeout for reading one picture, from connection to last byte.
    """

    def __init__(self, bucket: str, max_bytes: int, timeout_seconds: float) -> None:
        """Connect to S3 only when the first upload is offered or read."""
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._lock = Lock()
        self._client: Any = None

    @property
    def origin(self) -> str:
        """Scheme, host and port of the bucket."""
        split = urlsplit(self.offer(DEFAULT_MEDIA_TYPE)["url"])
        return f"{split.scheme}://{split.netloc}"

    def offer(self, content_type: str) -> Mapping[str, Any]:
        """Return a presigned POST for one picture, and the picture's s3 uri."""
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
        """Return a reader for the uploads of one request."""
        return _Reader(self, self._bucket, self._max_bytes, self._timeout_seconds)

    def client(self) -> Any:  # noqa: ANN401  boto3 makes its classes at run time
        """Return boto3's client, created on first use: a cold start saves 0.3 s."""
        with self._lock:
            if self._client is None:
                self._client = _client(self._timeout_seconds)
            return self._client


class _Reader:
    """Reads the uploads of one request, up to a total size."""

    def __init__(
        self, uploads: S3Uploads, bucket: str, max_bytes: int, timeout_seconds: float
    ) -> None:
        self._uploads = uploads
        self._bucket = bucket
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._lock = Lock()
        self._total_bytes = self._bytes_left = MAX_FULL_SIZE_UPLOADS * max_bytes

    def fetch(self, url: str, deadline: Deadline) -> bytes:
        """Return the content of an upload.

        Raises:
            UrlNotAllowed: The uri is not one of `POST /uploads`.
            UrlUnreachable: The upload does not exist, or S3 did not deliver it.
            UrlTimeout: S3 did not deliver it in time.
            UrlTooLarge: The upload, or all uploads of the request together, exceed the limit.
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
        self._reserve(size)
        chunks: list[bytes] = []
        while chunk := body.read(CHUNK_BYTES):
            chunks.append(chunk)
            if deadline.remaining == 0:
                raise UrlTimeout(f"S3 did not deliver within {self._timeout_seconds:g} seconds.")
        return b"".join(chunks)

    def _reserve(self, size: int) -> None:
        if size > self._max_bytes:
            raise UrlTooLarge(f"The upload has {size} bytes, the limit is {self._max_bytes}.")
        with self._lock:
            if size > self._bytes_left:
                raise UrlTooLarge(
                    f"The uploads of this request exceed {self._total_bytes} bytes together. "
                    "Send fewer per request."
                )
            self._bytes_left -= size


def _client(timeout_seconds: float) -> Any:  # noqa: ANN401  as above
    # Imported here: requests without uploads do not need it.
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        # Use the bucket's regional address: the global one redirects during the first hours of a
        # bucket, and browsers do not follow redirects of a posted form.
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
            "The upload does not exist: it was not sent, or it was deleted after a day. "
            "Upload the picture again with POST /uploads."
        )
    # Without the key: a client that knows it can use the picture.
    logger.warning("S3 did not deliver an upload: %s %s", type(error).__name__, code)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return UrlTimeout("S3 did not deliver the upload in time.")
    return UrlUnreachable("S3 did not deliver the upload. Retry.")
