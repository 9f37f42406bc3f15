"""Objects of an archive and their rows, in the format of the deployed function.

results/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz   final rows
failed/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz    pictures to retry
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
    """An object in S3.

    Attributes:
        bucket: Bucket.
        key: Key.
        etag: ETag without quotes; "": any version.
        size: Size in bytes; None: unknown.
    """

    bucket: str
    key: str
    etag: str = ""
    size: int | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """Bucket, key and ETag, which identify a picture."""
        return self.bucket, self.key, self.etag


def parse_item(fields: Mapping[str, Any], bucket: str, is_encoded: bool = False) -> Item:
    """Parse an entry of a listing, an inventory or a list, whose field names differ.

    Args:
        fields: Fields of the entry; ``Key`` is required.
        bucket: Bucket of an entry that does not name one.
        is_encoded: The key is URL-encoded, as in inventories.
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
    """Return the prefix of all rows of a model and route; `kind` is `RESULTS` or `FAILED`."""
    return f"{kind}/model={model[:16]}/route={route}/"


def read_lines(content: bytes) -> list[dict[str, Any]]:
    """Decode the rows of an object."""
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def item_of(line: Mapping[str, Any]) -> Item:
    """Return the picture of a row."""
    return Item(line["bucket"], line["key"], line["etag"])


def code_of(line: Mapping[str, Any]) -> str:
    """Return the error code of a row, or ``answered``."""
    return str(line["error"]["code"]) if line["error"] else "answered"
