"""Rows of results: their JSON, and the objects that they are kept in.

    results/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz   rows that are final
    failed/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz    pictures that are to be retried

An object's name is a checksum of what it answers, so whoever answers the same pictures again
writes the same object again. Below ``results/`` a picture stands once for each content and model.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.routes import Route
from service.batch.items import Item

RESULTS = "results"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one object.

    Attributes:
        item: The object.
        predictions: As the API answers; [] where it failed.
        size_wh: Of the upright picture, None where it was not decoded.
        error: Code and message, None where all went well.
        is_final: Whether another attempt would end the same way.
        attempts: How many there have been.
    """

    item: Item
    predictions: Any
    size_wh: tuple[int, int] | None = None
    error: tuple[str, str] | None = None
    is_final: bool = True
    attempts: int = 1

    def as_json(self) -> dict[str, Any]:
        """The line of the results."""
        line: dict[str, Any] = {
            "bucket": self.item.bucket,
            "key": self.item.key,
            "etag": self.item.etag,
            "width": self.size_wh[0] if self.size_wh else None,
            "height": self.size_wh[1] if self.size_wh else None,
            "predictions": self.predictions,
            "error": {"code": self.error[0], "message": self.error[1]} if self.error else None,
        }
        return line if self.is_final else {**line, "attempts": self.attempts}


@dataclass(frozen=True, slots=True)
class ResultKey:
    """Where the rows of one batch are kept, below ``results/`` and ``failed/``."""

    model: str
    route: Route
    batch: str

    def key(self, kind: str) -> str:
        """The object's key for `RESULTS` or `FAILED`."""
        return f"{folder(kind, self.model, self.route)}{self.batch[:2]}/{self.batch}.jsonl.gz"


def folder(kind: str, model: str, route: Route) -> str:
    """The prefix of all rows of a model and route."""
    return f"{kind}/model={model[:16]}/route={route}/"


def batch_name(items: Sequence[Item]) -> str:
    """A name for these objects in this order: 32 hexadecimal digits."""
    text = json.dumps([item.identity for item in items])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def write_lines(lines: Iterable[Any]) -> bytes:
    """JSON lines, compressed; the same lines make the same bytes."""
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def read_lines(content: bytes) -> list[dict[str, Any]]:
    """What `write_lines` wrote."""
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def item_of(line: dict[str, Any]) -> Item:
    """The object that a line tells of."""
    return Item(line["bucket"], line["key"], line["etag"])
