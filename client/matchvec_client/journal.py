"""Results on disk, one line of JSON per picture, with which an interrupted run can resume.

One system call writes the line of a picture as soon as the picture is done, and no line changes
later. A run that is killed leaves complete lines and at most one torn line, which is discarded. A
picture is identified by its name, its size and the time of its last change, because hashes would
need every file of an archive to be read again. A URL is identified by its text.
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
    """Return the line of a picture: its answer, its file and the query."""
    return {
        **picture.to_dict(),
        "size": None if source.is_url else source.size,
        "mtime_ns": source.mtime_ns,
        **_asked(query),
    }


class Journal:
    """The results file of a run and of the runs that resume it.

    Use it in a `with` block. It is locked against a second run (not on Windows).

    Args:
        path: The file.
        query: Route and options; all lines of a file have the same.
        sources: Pictures of this run.
        may_resume: Accept an existing file.

    Raises:
        JournalError: The file exists and `may_resume` is false, another run uses it, it has other
            options, or it is not a results file.
    """

    def __init__(
        self, path: Path, query: Query, sources: Sequence[Source], *, may_resume: bool
    ) -> None:
        """Read the completed pictures; drop torn and outdated lines and transient errors."""
        self._path = path
        self._query = query
        self._offsets: dict[str, int] = {}
        if path.exists() and not may_resume:
            raise JournalError(f"{path} exists. Use --resume or --overwrite.")
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
        """Return True if the picture is done."""
        return source.name in self._offsets

    def append(self, source: Source, picture: Picture) -> None:
        """Write the line of a picture.

        Raises:
            OSError: The disk is full or unavailable.
        """
        line = json.dumps(row_of(source, picture, self._query)).encode() + b"\n"
        offset = self._file.seek(0, os.SEEK_END)
        if self._file.write(line) != len(line):
            raise OSError(f"{self._path} cannot be written. Check the space on the disk.")
        self._offsets[source.name] = offset

    def rows(self, sources: Sequence[Source]) -> Iterator[Row]:
        """Yield the lines of the given pictures, in their order, without those not done."""
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
        # Lines of pictures that are not in this run stay in the file.

    def _lines(self) -> Iterator[tuple[int, Row]]:
        """Yield the offset and the row of each complete line.

        Raises:
            JournalError: A line is invalid or has other options.
        """
        offset = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):  # A line without an end is torn.
                    yield offset, self._checked(line, number)
                offset += len(line)

    def _checked(self, line: bytes, number: int) -> Row:
        asked = _asked(self._query)
        try:
            row = json.loads(line)
            before = {name: row[name] for name in asked}
            _ = row["picture"] + "", row["error"], row["size"], row["mtime_ns"]
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self._path}, line {number}: not a line of this client."
            raise JournalError(message) from error
        if before != asked:
            raise JournalError(
                f"{self._path} was made with {before}, but this run has {asked}. "
                "Use another file, or the same options."
            )
        return dict(row)

    def _end_of(self, lines: Sequence[tuple[int, Row]]) -> int:
        """Return the offset after the last complete line."""
        if not lines:
            return 0
        with self._path.open("rb") as file:
            file.seek(lines[-1][0])
            file.readline()
            return file.tell()

    def _rewrite(self, kept: Sequence[tuple[int, str]]) -> None:
        """Keep only the given lines; the file is replaced atomically."""
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
        if sys.platform == "win32":  # Windows cannot rename open files.
            new.close()
        os.replace(partial, self._path)
        self._file = FileIO(self._path, "a+") if new.closed else new


def _asked(query: Query) -> Row:
    return {"route": query.route, "threshold": query.threshold, "top": query.top}


def _is_done(row: Row, source: Source) -> bool:
    """Return True if the line belongs to this version of the file and is final."""
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
