"""The rows of an archive, counted and put together."""

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
    """Where rows are put.

    Attributes:
        path: The file: JSON lines, or CSV if its name ends in ``.csv``.
        may_resume: Whether to go on with it.
        may_overwrite: Whether to begin it anew.
    """

    path: Path
    may_resume: bool = False
    may_overwrite: bool = False

    @property
    def is_csv(self) -> bool:
        """Whether objects have lines, in place of pictures."""
        return self.path.suffix.lower() == ".csv"

    @property
    def lines(self) -> Path:
        """Where the rows are kept as they come."""
        return self.path.with_name(self.path.name + ".jsonl") if self.is_csv else self.path

    def check(self) -> None:
        """Make sure that nothing is written over unasked.

        Raises:
            BulkError: It would be.
        """
        is_there = self.path.exists() or self.lines.exists()
        if is_there and not (self.may_resume or self.may_overwrite):
            raise BulkError(
                f"{self.path} exists: --resume goes on with it, --overwrite starts anew."
            )


class _Tally:
    """Counts rows by their codes, each picture once."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.twice = 0
        self._seen: set[lists.Key] = set()

    def new(self, rows: Iterable[Row], *, is_known: bool = False) -> list[Row]:
        """Those of the rows whose picture had none; `is_known`: some are expected to have one."""
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
        """Of pictures to be retried, those that have no row, by their codes."""
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
    """What there is, by code; with `output`, all rows in that file.

    Args:
        target: The stack.
        route: Which answers.
        output: The file; None: only count.
        file: Where to show the progress; None: nowhere.

    Raises:
        BulkError: The file can't be gone on with.
        OSError: It can't be written.
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
    told = _told(f"s3://{target.results}/{place}", tally, missing)
    return "\n".join([*told, f"Written to {output.path}"] if output else told)


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
    """Write a file that is there whole or not at all."""
    partial = path.with_name(path.name + ".new")
    with partial.open("w", encoding="utf-8", newline="") as file:
        named = ({**row, "picture": f"s3://{row['bucket']}/{row['key']}"} for row in rows)
        write(named, "csv", file)
    os.replace(partial, path)


def _told(place: str, tally: _Tally, missing: Counter[str]) -> list[str]:
    lines = [f"{sum(tally.codes.values()):,} rows in {place}"]
    lines += [f"  {count:10,}  {code}" for code, count in tally.codes.most_common()]
    if tally.twice:
        lines.append(f"  {tally.twice:10,}  more, of pictures that have a row: two runs at once")
    if missing:
        lines.append(f"{sum(missing.values()):,} pictures have none yet; a new start does these:")
        lines += [f"  {count:10,}  {code}" for code, count in missing.most_common()]
    return lines
