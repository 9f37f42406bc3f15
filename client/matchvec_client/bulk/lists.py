"""The pictures of an archive: all, answered, and missing."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from matchvec_client.bulk.aws import BulkError
from matchvec_client.bulk.rows import Item, folder, item_of, parse_item, read_lines

READERS = 16
"""Objects of rows that are read concurrently."""

Key = bytes
"""Checksum of a picture's identity: a set of ten million needs 1 GB of memory."""

Named = tuple[str, str]
"""A bucket and a key."""


def below(client: Any, bucket: str, prefix: str) -> Iterator[Item]:  # noqa: ANN401  boto3's
    """Yield all objects below a prefix, 1,000 per request."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", []):
            yield parse_item(each, bucket)


def in_inventory(client: Any, place: Named) -> Iterator[Item]:  # noqa: ANN401
    """Yield all objects of an inventory in CSV format, by its ``manifest.json``.

    Raises:
        BulkError: The inventory has another format.
    """
    manifest = json.loads(_content(client, place))
    if manifest.get("fileFormat") != "CSV":
        raise BulkError("The inventory is not in CSV format. Configure it as CSV.")
    names = [name.strip() for name in manifest["fileSchema"].split(",")]
    bucket = manifest["destinationBucket"].rpartition(":")[2]
    for file in manifest["files"]:
        text = gzip.decompress(_content(client, (bucket, file["key"]))).decode()
        for row in csv.reader(io.StringIO(text)):
            fields = dict(zip(names, row, strict=True))
            yield parse_item(fields, manifest["sourceBucket"], is_encoded=True)


def in_manifest(client: Any, place: str, bucket: str) -> Iterator[Item]:  # noqa: ANN401
    """Yield all objects of a list: a JSON array, or lines, of keys or `{"Key", "ETag", "Size"}`.

    Args:
        client: Client of S3.
        place: Path of a file, or ``s3://bucket/key``.
        bucket: Bucket of keys that do not name one.
    """
    is_local = not place.startswith("s3://")
    content = Path(place).read_bytes() if is_local else _content(client, parse_uri(place))
    text = content.decode()
    entries: Iterable[Any] = (
        json.loads(text) if text.lstrip().startswith("[") else filter(None, text.splitlines())
    )
    for entry in entries:
        if isinstance(entry, str) and entry.lstrip().startswith("{"):
            entry = json.loads(entry)
        yield parse_item(entry if isinstance(entry, dict) else {"Key": entry}, bucket)


def rows(client: Any, bucket: str, kind: str, model: str, route: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """Yield all rows of a model and route."""
    for _, found in rows_of(client, below(client, bucket, folder(kind, model, route))):
        yield from found


def rows_of(client: Any, objects: Iterable[Item]) -> Iterator[tuple[Item, list[dict[str, Any]]]]:  # noqa: ANN401
    """Yield objects of rows with their rows, in order; some are read concurrently."""

    def lines(item: Item) -> tuple[Item, list[dict[str, Any]]]:
        return item, read_lines(_content(client, (item.bucket, item.key)))

    # `pool.map` over everything would not wait for a slow reader; there may be a million objects.
    with ThreadPoolExecutor(READERS) as pool:
        batch: list[Item] = []
        for item in objects:
            batch.append(item)
            if len(batch) == 4 * READERS:
                yield from pool.map(lines, batch)
                batch = []
        yield from pool.map(lines, batch)


def digest(item: Item) -> Key:
    """Return the checksum of a picture's identity."""
    return hashlib.blake2b(json.dumps(item.identity).encode(), digest_size=16).digest()


def answered(lines: Iterable[dict[str, Any]]) -> set[Key]:
    """Return the pictures that the rows answer, each with and without its content's ETag."""
    found = set()
    for line in lines:
        item = item_of(line)
        found.add(digest(item))
        found.add(digest(Item(item.bucket, item.key)))
    return found


def missing(items: Iterable[Item], done: set[Key]) -> Iterator[Item]:
    """Yield the items that are not in `done`, each once."""
    seen = set(done)
    for item in items:
        key = digest(item)
        if key not in seen:
            seen.add(key)
            yield item


def as_manifest(items: Iterable[Item]) -> bytes:
    """Encode the list that the state machine's ItemReader reads."""
    entries = []
    for item in items:
        entry: dict[str, Any] = {"Bucket": item.bucket, "Key": item.key}
        if item.etag:
            entry["ETag"] = item.etag
        if item.size is not None:
            entry["Size"] = item.size
        entries.append(entry)
    return json.dumps(entries).encode()


def parse_uri(uri: str) -> Named:
    """Split ``s3://bucket/key`` into bucket and key.

    Raises:
        BulkError: The address has another form.
    """
    split = urlsplit(uri)
    if split.scheme != "s3" or not split.netloc or not split.path.strip("/"):
        raise BulkError(f"{uri!r} is not an S3 address. Write s3://bucket/key.")
    return split.netloc, split.path.lstrip("/")


def _content(client: Any, place: Named) -> bytes:  # noqa: ANN401
    bucket, key = place
    content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content
