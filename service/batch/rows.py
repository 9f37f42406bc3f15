"""Rows of results as JSON lines, and the S3 keys that they are stored under.

    results/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz   final rows
    failed/model=<16 hex>/route=predict/<2 hex>/<batch>.jsonl.gz    pictures to be retried

A key is a checksum of the pictures, so that a retry overwrites its own rows. Below ``results/``
each picture has one row per content and model.
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
from service.json_answers import picture_answer_json
from service.results import PictureAnswer

RESULTS = "results"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """Result of one object.

    Attributes:
        item: Object of the batch.
        answer: Answer of the API for the object; None if the object failed.
        size_wh: Width and height of the upright picture in pixels; None if it was not decoded.
        error: Code and message; None if the object did not fail.
        is_final: True if a retry would give the same result.
        attempts: Number of attempts so far.
    """

    item: Item
    answer: PictureAnswer | None = None
    size_wh: tuple[int, int] | None = None
    error: tuple[str, str] | None = None
    is_final: bool = True
    attempts: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return the row as its line of JSON."""
        line: dict[str, Any] = {
            "bucket": self.item.bucket,
            "key": self.item.key,
            "etag": self.item.etag,
            "width": self.size_wh[0] if self.size_wh else None,
            "height": self.size_wh[1] if self.size_wh else None,
            "predictions": picture_answer_json(self.answer),
            "error": {"code": self.error[0], "message": self.error[1]} if self.error else None,
        }
        return line if self.is_final else {**line, "attempts": self.attempts}


@dataclass(frozen=True, slots=True)
class ResultKey:
    """Identity of a batch's rows, which their S3 keys are built from.

    Attributes:
        model: Fingerprint of models, thresholds and limits, 64 hexadecimal digits.
        route: Route of the API that answers the batch.
        batch: Name of the batch, 32 hexadecimal digits.
    """

    model: str
    route: Route
    batch: str

    def key(self, kind: str) -> str:
        """Return the S3 key of the rows of a kind: `RESULTS` or `FAILED`."""
        return f"{folder(kind, self.model, self.route)}{self.batch[:2]}/{self.batch}.jsonl.gz"


def folder(kind: str, model: str, route: Route) -> str:
    """Return the key prefix of all rows of a model and route."""
    return f"{kind}/model={model[:16]}/route={route}/"


def batch_name(items: Sequence[Item]) -> str:
    """Return a name for these objects in this order: 32 hexadecimal digits."""
    text = json.dumps([item.identity for item in items])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def write_lines(lines: Iterable[Any]) -> bytes:
    """Return compressed JSON lines. Equal lines give equal bytes."""
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def read_lines(content: bytes) -> list[dict[str, Any]]:
    """Read the output of `write_lines`."""
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def item_of(line: dict[str, Any]) -> Item:
    """Return the object of a line."""
    return Item(line["bucket"], line["key"], line["etag"])
