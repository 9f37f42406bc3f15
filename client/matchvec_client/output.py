"""Rows -> JSON lines, CSV or a table for people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TextIO

Format = Literal["table", "jsonl", "csv"]
FORMATS: tuple[Format, ...] = ("table", "jsonl", "csv")
CSV_FIELDS = (
    "picture",
    "width",
    "height",
    "x1",
    "y1",
    "x2",
    "y2",
    "class_name",
    "confidence",
    "label",
    "pred",
    "prob",
    "error",
)
_OF_PICTURE = ("picture", "width", "height")
_OF_OBJECT = CSV_FIELDS[3:10]
_SEPARATOR = "|"
_HEADINGS = ("PICTURE", "FOUND", "SCORE", "LABEL", "BOX")


def write(rows: Iterable[dict[str, Any]], file_format: Format, file: TextIO) -> None:
    """Write the rows of pictures.

    In CSV and in tables each object has a line; a picture without objects has one too, and one
    that failed has its error there.

    Args:
        rows: As `journal.row_of` makes them.
        file_format: How.
        file: Where to; opened with ``newline=""``, so that lines end alike on all systems.
    """
    if file_format == "jsonl":
        for row in rows:
            file.write(json.dumps(row) + "\n")
            file.flush()
    elif file_format == "csv":
        _write_csv(rows, file)
    else:
        _write_table(rows, file)


def _write_csv(rows: Iterable[dict[str, Any]], file: TextIO) -> None:
    writer = csv.DictWriter(file, CSV_FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        picture = {name: row[name] for name in _OF_PICTURE}
        if row["error"]:
            writer.writerow({**picture, "error": row["error"]["code"]})
        for found in row["predictions"]:
            classes = {
                name: _SEPARATOR.join(map(str, found.get(name, ()))) for name in ("pred", "prob")
            }
            writer.writerow({**picture, **{name: found[name] for name in _OF_OBJECT}, **classes})
        if not row["error"] and not row["predictions"]:
            writer.writerow(picture)


def _write_table(rows: Iterable[dict[str, Any]], file: TextIO) -> None:
    lines: list[Sequence[str]] = [_HEADINGS]
    for row in rows:
        name = printable(row["picture"])
        if row["error"]:
            # Code and message may be long: they get the columns that the picture does not need.
            lines.append((name, f"{row['error']['code']}: {printable(row['error']['message'])}"))
        elif not row["predictions"]:
            lines.append((name, "-"))
        for found in row["predictions"]:
            box = " ".join(str(found[edge]) for edge in ("x1", "y1", "x2", "y2"))
            score = f"{found['confidence']:.3f}"
            label = printable(found["label"])
            lines.append((name, printable(found["class_name"]), score, label, box))
            name = ""
    if len(lines) == 1:
        return
    full = [line for line in lines if len(line) == len(_HEADINGS)]
    widths = [max(len(line[column]) for line in full) for column in range(len(_HEADINGS))]
    widths[0] = max(len(line[0]) for line in lines)
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        file.write("  ".join(cells).rstrip() + "\n")


def printable(text: str) -> str:
    """A text that can't steer the terminal: file names may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
