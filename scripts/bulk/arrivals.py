"""Whether the archive's bucket tells the queue of new objects."""

from __future__ import annotations

from typing import Any

from matchvec_client.bulk.aws import BulkError, client
from matchvec_client.bulk.target import Target

NAME = "matchvec-arrivals"
"""Our rule among the bucket's notifications; all others stay as they are."""


def watch(target: Target) -> str:
    """Have S3 tell the queue of every new object.

    Raises:
        BulkError: The stack has no queue.
    """
    if not target.queue:
        raise BulkError("the stack has no queue: deploy it with Arrivals=true.")
    rule: dict[str, Any] = {
        "Id": NAME,
        "QueueArn": target.queue,
        "Events": ["s3:ObjectCreated:*"],
    }
    if target.prefix:
        rule["Filter"] = {"Key": {"FilterRules": [{"Name": "prefix", "Value": target.prefix}]}}
    _replace(target, [rule])
    return f"New objects of s3://{target.archive}/{target.prefix} are answered as they arrive."


def unwatch(target: Target) -> str:
    """Take our rule away."""
    _replace(target, [])
    return f"New objects of s3://{target.archive} are no longer told of."


def _replace(target: Target, rules: list[dict[str, Any]]) -> None:
    """S3 knows no change of a single rule: all are read and written."""
    s3 = client("s3")
    present = s3.get_bucket_notification_configuration(Bucket=target.archive)
    present.pop("ResponseMetadata", None)
    others = [each for each in present.get("QueueConfigurations", []) if each["Id"] != NAME]
    s3.put_bucket_notification_configuration(
        Bucket=target.archive,
        NotificationConfiguration={**present, "QueueConfigurations": [*others, *rules]},
    )
