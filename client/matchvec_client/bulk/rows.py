"""Objects of an archive and their rows, as the deployed function writes them.

results/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz   rows that are final
failed/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz    pictures that are to be retried
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

RESULTS = "results"
FAILED = "failed"
ROUTES = ("predict", "object_detection")


@dataclass(frozen=True, slots=True)
class Item:
    """One object of S3.

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


def parse_item(fields: Mapping[str, Any], bucket: str, is_encoded: bool = False) -> Item:
    """One entry of a listing, an inventory or a list, which spell their fields differently.

    Args:
        fields: Its fields; ``Key`` at least.
        bucket: Where it is if it does not say.
        is_encoded: Whether its key is url-encoded, as inventories have it.
    """
    by_name = {name.lower(): value for name, value in fields.items()}
    key = str(by_name["key"])
    size = by_name.get("size")
    return Item(
        bucket=str(by_name.get("bucket") or bucket),
        key=unquote_plus(key) if is_encoded else key,
        etag=str(by_name.get("etag") or "").strip('"'),
        size=int(size) if size not in (None, "") else None,
    )


def folder(kind: str, model: str, route: str) -> str:
    """The prefix of all rows of a model and route; `kind` is `RESULTS` or `FAILED`."""
    return f"{kind}/model={model[:16]}/route={route}/"


def read_lines(content: bytes) -> list[dict[str, Any]]:
    """The rows of an object."""
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def item_of(line: Mapping[str, Any]) -> Item:
    """The object that a row tells of."""
    return Item(line["bucket"], line["key"], line["etag"])


def code_of(line: Mapping[str, Any]) -> str:
    """How it went."""
    return str(line["error"]["code"]) if line["error"] else "answered"
