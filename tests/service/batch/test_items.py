from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.routes import Route
from service.batch.items import BatchRefused, Item, parse_batch, parse_message

EVENTS = Path(__file__).parents[2] / "events" / "batch"


def load(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_a_batch_of_a_listing() -> None:
    batch = parse_batch(load("batch_prefix"))

    assert batch.route is Route.PREDICT
    assert batch.max_attempts == 4
    assert batch.items == (
        Item("pictures", "2024/05/a b+c.jpg", "4c9ea36ad22ba6c4db1bcfb7e0f6f20e", 34910),
        Item("pictures", "2024/05/%41.jpg", "0c9ea36ad22ba6c4db1bcfb7e0f6f20e-3", 29171),
    )


def test_a_batch_of_an_inventory_whose_keys_are_encoded() -> None:
    assert parse_batch(load("batch_inventory")).items == (
        Item("pictures", "2024/05/a b+c.jpg", "4c9ea36ad22ba6c4db1bcfb7e0f6f20e", 34910),
        Item("pictures", "2024/05/größe.jpg", "", None),
    )


def test_a_batch_of_our_own_list_may_name_other_buckets() -> None:
    assert parse_batch(load("batch_manifest")).items == (
        Item("pictures", "a+b.jpg", "4c9ea36ad22ba6c4db1bcfb7e0f6f20e", 34910),
        Item("elsewhere", "c.jpg"),
    )


REFUSED: dict[str, Any] = {
    "empty": {},
    "no items": {"BatchInput": {"Bucket": "b", "Route": "predict"}, "MaxAttempts": 4},
    "another route": {"BatchInput": {"Bucket": "b", "Route": "shape"}, "Items": []},
    "an item without a key": {
        "BatchInput": {"Bucket": "b", "Route": "predict"},
        "Items": [{"Size": 3}],
        "MaxAttempts": 4,
    },
    "an item that is no object": {
        "BatchInput": {"Bucket": "b", "Route": "predict"},
        "Items": ["a.jpg"],
        "MaxAttempts": 4,
    },
    "a size that is no number": {
        "BatchInput": {"Bucket": "b", "Route": "predict"},
        "Items": [{"Key": "a", "Size": "large"}],
        "MaxAttempts": 4,
    },
}


@pytest.mark.parametrize("event", REFUSED.values(), ids=REFUSED)
def test_an_invalid_batch_is_refused(event: Any) -> None:
    with pytest.raises(BatchRefused):
        parse_batch(event)


def test_messages_of_s3() -> None:
    first, test, removed = (each["body"] for each in load("sqs_s3_notifications")["Records"])

    assert parse_message(first) == (
        Item("pictures", "new/a b+größe.jpg", "d41d8cd98f00b204e9800998ecf8427e", 1024),
    )
    assert parse_message(test) == ()
    assert parse_message(removed) == ()


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"Records": [{}]}', '{"Records": 3}', "null"])
def test_an_invalid_message_is_refused(body: str) -> None:
    with pytest.raises(BatchRefused):
        parse_message(body)
