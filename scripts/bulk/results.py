"""The rows of an archive, counted and put together."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from gateway.routes import Route
from scripts.bulk import archive
from scripts.bulk.target import Target
from scripts.deployment.aws import client
from service.rows import FAILED, RESULTS, folder, item_of


def results(target: Target, route: Route, output: Path | None) -> str:
    """What there is, by code; with `output`, all rows as JSON lines in that file."""
    s3 = client("s3")
    model = target.model(route)
    codes: Counter[str] = Counter()
    seen: set[bytes] = set()
    twice = 0
    file = output.open("w", encoding="utf-8") if output else None
    try:
        for line in archive.rows(s3, target.results, RESULTS, model, route):
            key = archive.digest(item_of(line))
            if key in seen:
                twice += 1
                continue
            seen.add(key)
            codes[line["error"]["code"] if line["error"] else "answered"] += 1
            if file:
                file.write(json.dumps(line) + "\n")
    finally:
        if file:
            file.close()
    missing: Counter[str] = Counter()
    for line in archive.rows(s3, target.results, FAILED, model, route):
        key = archive.digest(item_of(line))
        if key not in seen:
            seen.add(key)
            missing[line["error"]["code"]] += 1
    place = f"s3://{target.results}/{folder(RESULTS, model, route)}"
    lines = [f"{sum(codes.values()):,} rows in {place}"]
    lines += [f"  {count:10,}  {code}" for code, count in codes.most_common()]
    if twice:
        lines.append(f"  {twice:10,}  more, of pictures that have a row: two runs at once")
    if missing:
        lines.append(f"{sum(missing.values()):,} pictures have none yet; a new start does these:")
        lines += [f"  {count:10,}  {code}" for code, count in missing.most_common()]
    if output:
        lines.append(f"Written to {output}")
    return "\n".join(lines)
