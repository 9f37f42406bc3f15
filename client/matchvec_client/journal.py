"""A run's results on disk, one line of JSON per picture, from which an ended run goes on.

A line is written by one system call as soon as its picture is done, and never changed: killed at
any moment, a run leaves whole lines and at most one torn one at the end, which counts as not
written. A picture is known again by its name as given, its size and the time of its last change:
hashing would read every picture of an archive again only to leave it out, and who edits a picture
changes its time. A url is known by its text.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from matchvec_client.api import Query
from matchvec_client.errors import JournalError
from matchvec_client.sources import Source
from matchvec_client.types import TRANSIENT_CODES, Picture

if sys.platform != "win32":
    import fcntl

Row = dict[str, Any]


def row_of(source: Source, picture: Picture, query: Query) -> Row:
    """A picture's line: what was found, in which file, and what was asked."""
    return {
        **picture.as_json(),
        "size": None if source.is_url else source.size,
        "mtime_ns": source.mtime_ns,
        **_asked(query),
    }


class Journal:
    """The file of results of one run and of those that go on with it.

    Use it in a `with`; it is locked against a second run at the same time (not on Windows).

    Args:
        path: The file.
        query: What is asked; all lines of a file have asked the same.
        sources: The pictures of this run.
        may_resume: Whether the file may be there already.

    Raises:
        JournalError: The file is there and may not be, another run uses it, it asked something
            else, or it is no journal.
    """

    def __init__(
        self, path: Path, query: Query, sources: Sequence[Source], *, may_resume: bool
    ) -> None:
        """Read what is done; drop what is torn, outdated, or worth another attempt."""
        self._path = path
        self._query = query
        self._offsets: dict[str, int] = {}
        if path.exists() and not may_resume:
            raise JournalError(f"{path} exists: --resume goes on with it, --overwrite starts anew.")
        self._file = _open_locked(path)
        try:
            self._load({source.name: source for source in sources})
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.fsync(self._file.fileno())
        self._file.close()

    def __contains__(self, source: Source) -> bool:
        """Whether the picture is done."""
        return source.name in self._offsets

    def append(self, source: Source, picture: Picture) -> None:
        """Write that a picture is done.

        Raises:
            OSError: The disk is full, or gone.
        """
        line = json.dumps(row_of(source, picture, self._query)).encode() + b"\n"
        offset = self._file.seek(0, os.SEEK_END)
        if self._file.write(line) != len(line):
            raise OSError(f"{self._path} can't be written: is the disk full?")
        self._offsets[source.name] = offset

    def rows(self, sources: Sequence[Source]) -> Iterator[Row]:
        """The lines of these pictures, in their order; those not done are left out."""
        with self._path.open("rb") as file:
            for source in sources:
                if (offset := self._offsets.get(source.name)) is not None:
                    file.seek(offset)
                    yield json.loads(file.readline())

    def _load(self, sources: dict[str, Source]) -> None:
        lines = list(self._lines())
        rows = {row["picture"]: (offset, row) for offset, row in lines}
        kept = [
            (offset, name)
            for name, (offset, row) in rows.items()
            if name not in sources or _is_done(row, sources[name])
        ]
        size = self._file.seek(0, os.SEEK_END)
        end = self._end_of(lines)
        if len(kept) < len(lines):
            self._rewrite(sorted(kept))
        else:
            self._offsets = {name: offset for offset, name in kept}
            if end < size:
                self._file.truncate(end)
        # Of other pictures, the file keeps the lines, but this run has nothing to do with them.

    def _lines(self) -> Iterator[tuple[int, Row]]:
        """Offset and row of each whole line.

        Raises:
            JournalError: A line is not of a journal, or asked something else.
        """
        offset = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):  # Else it is torn.
                    yield offset, self._checked(line, number)
                offset += len(line)

    def _checked(self, line: bytes, number: int) -> Row:
        asked = _asked(self._query)
        try:
            row = json.loads(line)
            before = {name: row[name] for name in asked}
            _ = row["picture"] + "", row["error"], row["size"], row["mtime_ns"]
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self._path}, line {number}: not a line that this client has written."
            raise JournalError(message) from error
        if before != asked:
            raise JournalError(
                f"{self._path} was made with {before}, and this run asks {asked}: "
                "use another file, or the same options."
            )
        return dict(row)

    def _end_of(self, lines: Sequence[tuple[int, Row]]) -> int:
        """Where the last whole line ends."""
        if not lines:
            return 0
        with self._path.open("rb") as file:
            file.seek(lines[-1][0])
            file.readline()
            return file.tell()

    def _rewrite(self, kept: Sequence[tuple[int, str]]) -> None:
        """Leave out all other lines; the file is the old or the new one, whatever happens."""
        partial = self._path.with_name(self._path.name + ".new")
        partial.unlink(missing_ok=True)
        new = _open_locked(partial)
        with self._path.open("rb") as old:
            for offset, name in kept:
                old.seek(offset)
                self._offsets[name] = new.tell()
                new.write(old.readline())
        os.fsync(new.fileno())
        self._file.close()
        if sys.platform == "win32":  # Open files can't be renamed there.
            new.close()
        os.replace(partial, self._path)
        self._file = FileIO(self._path, "a+") if new.closed else new


def _asked(query: Query) -> Row:
    return {"route": query.route, "threshold": query.threshold, "top": query.top}


def _is_done(row: Row, source: Source) -> bool:
    """Whether the line is of this very file, and final."""
    if row["error"] and row["error"]["code"] in TRANSIENT_CODES:
        return False
    size = None if source.is_url else source.size
    return bool(row["size"] == size and row["mtime_ns"] == source.mtime_ns)


def _open_locked(path: Path) -> FileIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = FileIO(path, "a+")
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise JournalError(f"{path} is in use by another run.") from error
    return file
