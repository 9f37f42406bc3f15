"""Rows in a file of JSON lines, put there object by object, so that a download can go on.

Beside the file, `FILE.state` tells which objects are in it, with their ETags, and where each one's
rows end. An object's line there is written after its rows: killed at any moment, a download leaves
at most rows that no line tells of, and those are cut off when it goes on.
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
    """A file of rows that grows; use it in a `with`.

    Args:
        path: The file.
        origin: What all of its rows belong to: bucket, model and route.
        may_resume: Whether to go on with the file, if it is there; else it is begun anew.

    Raises:
        BulkError: The file has other rows.
    """

    def __init__(self, path: Path, origin: dict[str, str], *, may_resume: bool) -> None:
        """Read what is there; cut off what is torn."""
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
        """Whether the object's rows are in the file as they are now."""
        return self._done.get(item.key) == item.etag

    def knows(self, item: Item) -> bool:
        """Whether rows of the object are in the file, maybe of an earlier state of it."""
        return item.key in self._done

    def rows(self) -> Iterator[Row]:
        """All rows, in their order."""
        self._file.flush()
        with self._path.open("rb") as file:
            for line in file:
                yield json.loads(line)

    def append(self, item: Item, rows: Sequence[Row]) -> None:
        """Write an object's rows.

        Raises:
            OSError: The disk is full, or gone.
        """
        self._file.write(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        self._file.flush()
        self._note({"key": item.key, "etag": item.etag, "end": self._file.tell()})
        self._done[item.key] = item.etag

    def _note(self, state: dict[str, Any]) -> None:
        self._state.write(json.dumps(state).encode() + b"\n")
        self._state.flush()

    def _load(self, origin: dict[str, str]) -> int:
        """Read which objects are there; where the last one's rows end."""
        lines = self._state_lines()
        if not lines or lines[0] != origin:
            what = ", ".join(f"{name} {value}" for name, value in origin.items())
            raise BulkError(
                f"{self._path} was not begun with the rows of {what}: name another file, "
                "or --overwrite it."
            )
        end = lines[-1]["end"] if len(lines) > 1 else 0
        if end > os.path.getsize(self._path):
            raise BulkError(f"{self._path} is shorter than it was: --overwrite it.")
        self._done = {line["key"]: line["etag"] for line in lines[1:]}
        return int(end)

    def _state_lines(self) -> list[dict[str, Any]]:
        """Whole lines of the state; a torn one at the end is cut off."""
        try:
            content = self._state_path.read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._state_path, len(whole))
        return [json.loads(line) for line in whole.splitlines()]
