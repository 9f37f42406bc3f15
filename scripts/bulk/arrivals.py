"""Switch the bucket's notifications about new objects on and off."""

from __future__ import annotations

from typing import Any

from matchvec_client.bulk.aws import BulkError, client
from matchvec_client.bulk.target import Target

NAME = "matchvec-arrivals"
"""Id of our rule among the bucket's notifications; other rules are not changed."""


def watch(target: Target) -> str:
    """Make S3 notify the queue of every new object.

    Raises:
        BulkError: The stack has no queue.
    """
    if not target.queue:
        raise BulkError("The stack has no queue. Deploy it with Arrivals=true.")
    rule: dict[str, Any] = {
        "Id": NAME,
        "QueueArn": target.queue,
        "Events": ["s3:ObjectCreated:*"],
    }
    if target.prefix:
        rule["Filter"] = {"Key": {"FilterRules": [{"Name": "prefix", "Value": target.prefix}]}}
    _replace(target, [rule])
    return f"New objects in s3://{target.archive}/{target.prefix} are processed as they arrive."


def unwatch(target: Target) -> str:
    """Remove our notification rule."""
    _replace(target, [])
    return f"New objects in s3://{target.archive} are no longer processed."


def _replace(target: Target, rules: list[dict[str, Any]]) -> None:
    """Replace our rule. S3 cannot change a single rule, so all are read and written."""
    s3 = client("s3")
    present = s3.get_bucket_notification_configuration(Bucket=target.archive)
    present.pop("ResponseMetadata", None)
    others = [each for each in present.get("QueueConfigurations", []) if each["Id"] != NAME]
    s3.put_bucket_notification_configuration(
        Bucket=target.archive,
        NotificationConfiguration={**present, "QueueConfigurations": [*others, *rules]},
    )
