"""Output formats of rows: JSON lines, CSV and a table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
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
    "make",
    "make_prob",
    "kind",
    "kind_prob",
    "colour",
    "colour_prob",
    "error",
)
_OF_PICTURE = ("picture", "width", "height")
_OF_OBJECT = CSV_FIELDS[3:10]
_CLASSIFIERS = ("make", "kind", "colour")
_SEPARATOR = "|"
_HEADINGS = ("PICTURE", "FOUND", "SCORE", "LABEL", "BOX")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters of cells that spreadsheets run as formulas
(https://owasp.org/www-community/attacks/CSV_Injection)."""


def write(rows: Iterable[dict[str, Any]], file_format: Format, file: TextIO) -> None:
    """Write the rows of pictures.

    In CSV and in tables each object has a line. A picture without objects has one line, which
    holds the error of a failed picture.

    Args:
        rows: Rows of `journal.row_of`.
        file_format: Output format.
        file: Output stream, opened with ``newline=""`` so that line ends do not depend on the
            system.
    """
    if file_format == "jsonl":
        for row in rows:
            file.write(json.dumps(row) + "\n")
            file.flush()
    elif file_format == "csv":
        _write_csv(rows, file)
    else:
        _write_table(rows, file)


def flat_rows(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields of `CSV_FIELDS` for each object of a picture, or once for the picture.

    Args:
        row: A row of `journal.row_of`, or `Picture.to_dict()`.
    """
    picture = {name: row[name] for name in _OF_PICTURE}
    if row["error"]:
        yield {**picture, "error": row["error"]["code"]}
    for found in row["predictions"]:
        named = [name for name in _CLASSIFIERS if _has_answer(found, name)]
        best = {name: found[name]["pred"][0] for name in named}
        probabilities = {f"{name}_prob": found[name]["prob"][0] for name in named}
        classes = {name: found.get(name, []) for name in ("pred", "prob")}
        own = {name: found[name] for name in _OF_OBJECT}
        yield {**picture, **own, **classes, **best, **probabilities}
    if not row["error"] and not row["predictions"]:
        yield picture


def _has_answer(found: dict[str, Any], name: str) -> bool:
    answer = found.get(name)
    return isinstance(answer, dict) and bool(answer.get("pred"))


def _write_csv(rows: Iterable[dict[str, Any]], file: TextIO) -> None:
    writer = csv.DictWriter(file, CSV_FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        for line in flat_rows(row):
            writer.writerow({name: _cell(value) for name, value in line.items()})


def _cell(value: Any) -> Any:  # noqa: ANN401  any cell
    """Join lists by a bar, and put a quote before text that a spreadsheet would run."""
    if isinstance(value, list):
        value = _SEPARATOR.join(map(str, value))
    if not isinstance(value, str):
        return value
    prefix = "'" if value.startswith(_FORMULA_STARTS) else ""
    # A carriage return would start another line, which Python before 3.13 does not quote.
    return prefix + value.replace("\r", " ")


def _write_table(rows: Iterable[dict[str, Any]], file: TextIO) -> None:
    lines: list[Sequence[str]] = [_HEADINGS]
    for row in rows:
        name = printable(row["picture"])
        if row["error"]:
            # The message takes the remaining columns and does not widen them.
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
    """Replace control characters, which could change the terminal: file names hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
