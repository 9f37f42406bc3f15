"""Parses events of Step Functions and SQS into the S3 objects that they name.

Formats: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from gateway.routes import Route
from service.picture_answers import PICTURE_ROUTES

URL_ENCODED = "inventory"
"""Source whose keys are url-encoded, as those of an S3 Inventory in CSV format are
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html)."""

ARCHIVE_ROUTES = {str(route): route for route, each in PICTURE_ROUTES.items() if each.draws}
"""Routes that a batch can be answered by, by name."""


class BatchRefused(Exception):
    """The event is not a valid batch; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Item:
    """One S3 object of a batch.

    Attributes:
        bucket: Bucket of the object.
        key: Key of the object.
        etag: ETag of the listed content, without quotes; "" for any content.
        size: Size in bytes; None if the list does not say.
    """

    bucket: str
    key: str
    etag: str = ""
    size: int | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """Bucket, key and ETag: equal for two items with the same content."""
        return self.bucket, self.key, self.etag


@dataclass(frozen=True, slots=True)
class Batch:
    """The objects that one child execution of the state machine processes.

    Attributes:
        route: Route of the API that answers the objects.
        items: Objects in the order of the list.
        max_attempts: Number of attempts after which a picture counts as failed.
    """

    route: Route
    items: tuple[Item, ...]
    max_attempts: int


def parse_route(name: object) -> Route:
    """Return the route of a name.

    Raises:
        BatchRefused: Batches have no route of this name.
    """
    if not isinstance(name, str) or name not in ARCHIVE_ROUTES:
        raise BatchRefused(f"Route {name!r} must be one of {', '.join(ARCHIVE_ROUTES)}.")
    return ARCHIVE_ROUTES[name]


def parse_batch(event: Mapping[str, Any]) -> Batch:
    """Parse a batch of a Distributed Map's ItemBatcher, as the Task state passes it on.

    Raises:
        BatchRefused: A field is missing or invalid.
    """
    try:
        common = event["BatchInput"]
        route = parse_route(common["Route"])
        is_encoded = common.get("Source") == URL_ENCODED
        items = tuple(parse_item(each, common["Bucket"], is_encoded) for each in event["Items"])
        return Batch(route, items, int(event["MaxAttempts"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BatchRefused(f"The batch has a missing or invalid field: {error!r}") from error


def parse_item(fields: Mapping[str, Any], bucket: str, is_encoded: bool = False) -> Item:
    """Parse one entry of a listing, an inventory or a manifest.

    Their field names differ in case: ``Etag`` in Distributed Map's listings, ``ETag`` in
    inventories, whose values are all strings.

    Args:
        fields: Fields of the entry.
        bucket: Bucket of an entry that names none.
        is_encoded: True if the key is url-encoded.
    """
    by_name = {name.lower(): value for name, value in fields.items()}
    key = str(by_name["key"])
    size = by_name.get("size")
    return Item(
        bucket=str(by_name.get("bucket") or bucket),
        key=unquote_plus(key) if is_encoded else key,
        etag=plain_etag(by_name.get("etag")),
        size=int(size) if size not in (None, "") else None,
    )


def parse_message(body: str) -> Sequence[Item]:
    """Parse the new objects of one S3 notification in SQS; none for S3's test message.

    Raises:
        BatchRefused: The message is not an S3 notification.
    """
    try:
        notification = json.loads(body)
        if notification.get("Event") == "s3:TestEvent":
            return ()
        return tuple(
            Item(
                bucket=record["s3"]["bucket"]["name"],
                key=unquote_plus(record["s3"]["object"]["key"]),
                etag=plain_etag(record["s3"]["object"].get("eTag")),
                size=record["s3"]["object"].get("size"),
            )
            for record in notification["Records"]
            if record["eventName"].startswith("ObjectCreated:")
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BatchRefused(f"The message is not an S3 notification: {error!r}") from error


def plain_etag(etag: object) -> str:
    """Return an ETag without quotes. HTTP has them; notifications and inventories do not."""
    return str(etag or "").strip('"')
