"""What a batch is asked to do: events of Step Functions and SQS -> the objects they name.

Shapes: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html,
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
from service.routes import PICTURE_ROUTES

URL_ENCODED = "inventory"
"""The source whose keys are url-encoded: lists of S3 Inventory in CSV format are
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html)."""

ARCHIVE_ROUTES = {str(route): route for route, each in PICTURE_ROUTES.items() if each.uses_detector}
"""Routes that a batch can be answered by, by name."""


class BatchRefused(Exception):
    """The event is none that a batch can be made of; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Item:
    """One object of S3 that is to be answered.

    Attributes:
        bucket: Where it is.
        key: Its name.
        etag: Which content is meant, without quotes; "" for whichever is there.
        size: Bytes, None where the list does not say.
    """

    bucket: str
    key: str
    etag: str = ""
    size: int | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two items the same: bucket, key and content."""
        return self.bucket, self.key, self.etag


@dataclass(frozen=True, slots=True)
class Batch:
    """What one child execution of the state machine asks for.

    Attributes:
        route: Which of the API's answers is wanted.
        items: The objects, in the list's order.
        max_attempts: After how many attempts a picture is given up.
    """

    route: Route
    items: tuple[Item, ...]
    max_attempts: int


def parse_route(name: object) -> Route:
    """The route of a name.

    Raises:
        BatchRefused: It is none that archives have.
    """
    if not isinstance(name, str) or name not in ARCHIVE_ROUTES:
        raise BatchRefused(f"Route {name!r} must be one of {', '.join(ARCHIVE_ROUTES)}.")
    return ARCHIVE_ROUTES[name]


def parse_batch(event: Mapping[str, Any]) -> Batch:
    """The batch that a Distributed Map's ItemBatcher made, as the Task state passes it on.

    Raises:
        BatchRefused: A field is missing or wrong.
    """
    try:
        common = event["BatchInput"]
        route = parse_route(common["Route"])
        is_encoded = common.get("Source") == URL_ENCODED
        items = tuple(parse_item(each, common["Bucket"], is_encoded) for each in event["Items"])
        return Batch(route, items, int(event["MaxAttempts"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BatchRefused(f"The batch is not as the state machine makes it: {error!r}") from error


def parse_item(fields: Mapping[str, Any], bucket: str, is_encoded: bool = False) -> Item:
    """One entry of a listing, an inventory or a manifest.

    They spell their fields differently: ``Etag`` in Distributed Map's listings, ``ETag`` in
    inventories, where every value is a text.
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
    """The objects that one message of S3's to SQS tells of; none for its test message.

    Raises:
        BatchRefused: The message is not one of S3's.
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
        raise BatchRefused(f"The message is no notification of S3's: {error!r}") from error


def plain_etag(etag: object) -> str:
    """An ETag without the quotes that HTTP has and notifications and inventories have not."""
    return str(etag or "").strip('"')
