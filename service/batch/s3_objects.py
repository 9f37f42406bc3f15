"""Access to S3 for batches. Every failure of an object has a code, and is final or not.

ObjectError
├── ObjectMissing          object_missing       final: deleted since it was listed
├── ObjectChanged          object_changed       final: overwritten since it was listed
├── ObjectTooLarge         object_too_large     final: over MAX_OBJECT_BYTES
├── ObjectArchived         object_archived      final: in a Glacier class and not restored
├── ObjectForbidden        object_forbidden     retried: the role or the bucket's policy denies it
└── ObjectUnreachable      object_unreachable   retried: throttled, timed out or interrupted

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

from __future__ import annotations

from typing import Any, ClassVar

from service.batch.items import Item, plain_etag

S3_LIMITS: dict[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 20,
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "max_pool_connections": 16,
}


class ObjectError(Exception):
    """An object can't be read.

    Attributes:
        code: Machine-readable name, stable across releases.
        is_final: True if a retry would give the same result.
        message: Explanation of what is wrong and what to change.
    """

    code: ClassVar[str]
    is_final: ClassVar[bool] = True

    def __init__(self, message: str) -> None:
        """Keep the message for the row."""
        super().__init__(message)
        self.message = message


class ObjectMissing(ObjectError):
    """The object was deleted since it was listed."""

    code = "object_missing"


class ObjectChanged(ObjectError):
    """The object was overwritten since it was listed."""

    code = "object_changed"


class ObjectTooLarge(ObjectError):
    """The object is over the size limit."""

    code = "object_too_large"


class ObjectArchived(ObjectError):
    """The object is in an archive storage class."""

    code = "object_archived"


class ObjectForbidden(ObjectError):
    """The function is not allowed to read the object."""

    code = "object_forbidden"
    is_final = False


class ObjectUnreachable(ObjectError):
    """S3 did not deliver the object."""

    code = "object_unreachable"
    is_final = False


REFUSALS: dict[str, tuple[type[ObjectError], str]] = {
    "NoSuchKey": (ObjectMissing, "The object was deleted since it was listed."),
    "NoSuchBucket": (ObjectMissing, "The bucket does not exist."),
    "404": (ObjectMissing, "The object was deleted since it was listed."),
    "PreconditionFailed": (ObjectChanged, "The object was overwritten since it was listed."),
    "InvalidObjectState": (ObjectArchived, "The object is archived. Restore it and start again."),
    "AccessDenied": (ObjectForbidden, "The function's role or the bucket's policy denies access."),
    "403": (ObjectForbidden, "The function's role or the bucket's policy denies access."),
}


class Objects:
    """Reads pictures from S3, and reads, writes and deletes rows.

    Args:
        client: boto3's client for S3; None creates one.
    """

    def __init__(self, client: Any = None) -> None:  # noqa: ANN401  boto3 makes its classes at run time
        """Create the client, once per process: it takes 0.3 s."""
        self._client = client or _client()

    def read(self, item: Item, max_bytes: int) -> tuple[bytes, str]:
        """Return a picture's content and ETag.

        Raises:
            ObjectError: The object can't be read, or is larger than `max_bytes`.
        """
        if item.size is not None and item.size > max_bytes:
            raise _too_large(item.size, max_bytes)
        condition = {"IfMatch": f'"{item.etag}"'} if item.etag else {}
        try:
            answer = self._client.get_object(Bucket=item.bucket, Key=item.key, **condition)
            with answer["Body"] as body:
                if answer["ContentLength"] > max_bytes:
                    raise _too_large(answer["ContentLength"], max_bytes)
                return body.read(), plain_etag(answer["ETag"])
        except ObjectError:
            raise
        except Exception as error:  # Of botocore, of urllib3 while reading, or of the system.
            raise _refusal(error) from error

    def read_own(self, bucket: str, key: str) -> bytes | None:
        """Return an object of rows, or None if it does not exist.

        Raises:
            ObjectError: The object can't be read.
        """
        try:
            content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except Exception as error:
            refusal = _refusal(error)
            if isinstance(refusal, ObjectMissing):
                return None
            raise refusal from error
        return content

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Write an object of rows.

        Raises:
            ObjectUnreachable: S3 did not store it.
        """
        try:
            self._client.put_object(
                Bucket=bucket, Key=key, Body=content, ContentType="application/x-ndjson"
            )
        except Exception as error:
            raise ObjectUnreachable(f"s3://{bucket}/{key}: {_describe(error)}") from error

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object of rows.

        Raises:
            ObjectUnreachable: S3 did not delete it.
        """
        try:
            self._client.delete_object(Bucket=bucket, Key=key)
        except Exception as error:
            raise ObjectUnreachable(f"s3://{bucket}/{key}: {_describe(error)}") from error


def _client() -> Any:  # noqa: ANN401  as above
    # Imported here: the API starts without it.
    import boto3
    from botocore.config import Config

    make: Any = boto3.client
    return make("s3", config=Config(**S3_LIMITS))


def _too_large(size: int, max_bytes: int) -> ObjectTooLarge:
    return ObjectTooLarge(f"The object has {size} bytes, the limit is {max_bytes}.")


def _refusal(error: Exception) -> ObjectError:
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    if code in REFUSALS:
        refused, message = REFUSALS[code]
        return refused(message)
    return ObjectUnreachable(f"S3 did not deliver the object: {_describe(error)}")


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
