"""A file of JSON lines that is written object by object, so that a download can resume.

`FILE.state` lists the objects in the file with their ETags and the offset after each one's rows.
An object is listed after its rows are written: a download that is killed leaves at most rows of an
unlisted object, which are removed when it resumes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from matchvec_client.bulk.aws import BulkError
from matchvec_client.bulk.rows import Item

Row = dict[str, Any]


class Saved:
    """A growing file of rows, for use in a `with` block.

    Args:
        path: The file.
        origin: Bucket, model and route of all rows.
        may_resume: Continue an existing file; otherwise replace it.

    Raises:
        BulkError: The file has rows of another origin.
    """

    def __init__(self, path: Path, origin: dict[str, str], *, may_resume: bool) -> None:
        """Read the state and remove torn lines."""
        self._path = path
        self._state_path = path.with_name(path.name + ".state")
        self._done: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        end = self._load(origin) if may_resume and path.exists() else 0
        self._file = path.open("ab")
        self._file.truncate(end)
        self._state = self._state_path.open("ab" if end else "wb")
        if not end:
            self._note(origin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self._state.close()

    def has(self, item: Item) -> bool:
        """Return True if the file has the current rows of the object."""
        return self._done.get(item.key) == item.etag

    def knows(self, item: Item) -> bool:
        """Return True if the file has rows of any version of the object."""
        return item.key in self._done

    def rows(self) -> Iterator[Row]:
        """Yield all rows in order."""
        self._file.flush()
        with self._path.open("rb") as file:
            for line in file:
                yield json.loads(line)

    def append(self, item: Item, rows: Sequence[Row]) -> None:
        """Write the rows of an object.

        Raises:
            OSError: The disk is full or unavailable.
        """
        self._file.write(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        self._file.flush()
        self._note({"key": item.key, "etag": item.etag, "end": self._file.tell()})
        self._done[item.key] = item.etag

    def _note(self, state: dict[str, Any]) -> None:
        self._state.write(json.dumps(state).encode() + b"\n")
        self._state.flush()

    def _load(self, origin: dict[str, str]) -> int:
        """Read the state and return the offset after the last complete object."""
        lines = self._state_lines()
        if not lines or lines[0] != origin:
            what = ", ".join(f"{name} {value}" for name, value in origin.items())
            raise BulkError(
                f"{self._path} does not hold the rows of {what}. Use another file, or --overwrite."
            )
        end = lines[-1]["end"] if len(lines) > 1 else 0
        if end > os.path.getsize(self._path):
            raise BulkError(f"{self._path} has lost rows. Use --overwrite.")
        self._done = {line["key"]: line["etag"] for line in lines[1:]}
        return int(end)

    def _state_lines(self) -> list[dict[str, Any]]:
        """Return the complete lines of the state, and remove a torn one."""
        try:
            content = self._state_path.read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._state_path, len(whole))
        return [json.loads(line) for line in whole.splitlines()]
