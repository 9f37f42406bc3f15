"""The rows of an archive: counts and downloads."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from matchvec_client.bulk import lists
from matchvec_client.bulk.aws import BulkError, client
from matchvec_client.bulk.rows import FAILED, RESULTS, Item, code_of, folder, item_of
from matchvec_client.bulk.saved import Row, Saved
from matchvec_client.bulk.target import Target
from matchvec_client.output import write
from matchvec_client.progress import Progress


@dataclass(frozen=True, slots=True)
class Output:
    """The output file.

    Attributes:
        path: Path; a name that ends in ``.csv`` is CSV, all others JSON lines.
        may_resume: Continue an existing file.
        may_overwrite: Replace an existing file.
    """

    path: Path
    may_resume: bool = False
    may_overwrite: bool = False

    @property
    def is_csv(self) -> bool:
        """True if the file is CSV."""
        return self.path.suffix.lower() == ".csv"

    @property
    def lines(self) -> Path:
        """Path of the JSON lines that are written during the download."""
        return self.path.with_name(self.path.name + ".jsonl") if self.is_csv else self.path

    def check(self) -> None:
        """Check that no file is replaced by accident.

        Raises:
            BulkError: The file exists, and neither option is set.
        """
        is_there = self.path.exists() or self.lines.exists()
        if is_there and not (self.may_resume or self.may_overwrite):
            raise BulkError(
                f"{self.path} exists. Use --resume to continue it or --overwrite to replace it."
            )


class _Tally:
    """Counts of rows by code, each picture once."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.twice = 0
        self._seen: set[lists.Key] = set()

    def new(self, rows: Iterable[Row], *, is_known: bool = False) -> list[Row]:
        """Count rows and return the new ones; `is_known`: repetitions are expected."""
        found = []
        for row in rows:
            key = lists.digest(item_of(row))
            if key not in self._seen:
                self._seen.add(key)
                self.codes[code_of(row)] += 1
                found.append(row)
            elif not is_known:
                self.twice += 1
        return found

    def missing(self, rows: Iterable[Row]) -> Counter[str]:
        """Count pictures without a row, by code."""
        codes: Counter[str] = Counter()
        for row in rows:
            key = lists.digest(item_of(row))
            if key not in self._seen:
                self._seen.add(key)
                codes[code_of(row)] += 1
        return codes


def results(
    target: Target, route: str, output: Output | None = None, file: TextIO | None = None
) -> str:
    """Count the rows by code; with `output`, download all rows to that file.

    Args:
        target: The stack.
        route: Route of the API.
        output: Output file; None: only count.
        file: Stream of the progress; None: no progress.

    Raises:
        BulkError: The file cannot be continued.
        OSError: The file cannot be written.
    """
    if output:
        output.check()
    s3 = client("s3")
    model = target.model(route)
    place = folder(RESULTS, model, route)
    origin = {"bucket": target.results, "model": model, "route": str(route)}
    tally = _Tally()
    with ExitStack() as stack:
        saved = None
        if output:
            saved = stack.enter_context(Saved(output.lines, origin, may_resume=output.may_resume))
            tally.new(saved.rows())
        objects = list(lists.below(s3, target.results, place))
        _download(s3, objects, saved, tally, file)
        if output and saved and output.is_csv:
            _write_csv(output.path, saved.rows())
    missing = tally.missing(lists.rows(s3, target.results, FAILED, model, route))
    summary = _summary(f"s3://{target.results}/{place}", tally, missing)
    return "\n".join([*summary, f"Written to {output.path}"] if output else summary)


def _download(
    s3: Any,  # noqa: ANN401  boto3's
    objects: list[Item],
    saved: Saved | None,
    tally: _Tally,
    file: TextIO | None,
) -> None:
    todo = [item for item in objects if not (saved and saved.has(item))]
    progress = Progress(len(objects), len(objects) - len(todo), file)
    try:
        for item, rows in lists.rows_of(s3, todo):
            new = tally.new(rows, is_known=saved is not None and saved.knows(item))
            if saved:
                saved.append(item, new)
            progress.add(is_failed=False)
    finally:
        progress.end()


def _write_csv(path: Path, rows: Iterator[Row]) -> None:
    """Write the file atomically."""
    partial = path.with_name(path.name + ".new")
    with partial.open("w", encoding="utf-8", newline="") as file:
        named = ({**row, "picture": f"s3://{row['bucket']}/{row['key']}"} for row in rows)
        write(named, "csv", file)
    os.replace(partial, path)


def _summary(place: str, tally: _Tally, missing: Counter[str]) -> list[str]:
    lines = [f"{sum(tally.codes.values()):,} rows in {place}"]
    lines += [f"  {count:10,}  {code}" for code, count in tally.codes.most_common()]
    if tally.twice:
        lines.append(f"  {tally.twice:10,}  more for pictures that have a row: two runs overlapped")
    if missing:
        lines.append(
            f"{sum(missing.values()):,} pictures have no row; the next start retries them:"
        )
        lines += [f"  {count:10,}  {code}" for code, count in missing.most_common()]
    return lines
