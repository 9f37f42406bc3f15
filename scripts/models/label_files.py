"""Read class names from the files that training tools write.

| suffix | content |
|---|---|
| `.yaml`, `.yml` | `names`: a list or an id map (Ultralytics' data.yaml) |
| `.json` | a list, an id map, a name map, or an object with `id2label` or `names` |
| `.pbtxt` | TensorFlow's label map; ids that start at 1 keep their order |
| `.csv` | a column `name`, `label`, `class` or `class_name`, sorted by `id` or `index` if present |
| others | one label per line |
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

NAME_COLUMNS = ("display_name", "class_name", "name", "label", "class")
ID_COLUMNS = ("class_id", "id", "index")
PBTXT_ITEM = re.compile(r"item\s*\{(.*?)\}", re.DOTALL)
PBTXT_ID = re.compile(r"\bid\s*:\s*(\d+)")
PBTXT_NAME = re.compile(r"""\b(?:display_name|name)\s*:\s*(["'])(.*?)\1""")


def parse_labels(path: Path) -> tuple[str, ...]:
    """Read the labels of a file in the order of their ids.

    Raises:
        OSError: The file is not readable.
        ValueError: The file is not UTF-8, or has no labels in its format.
    """
    # Windows writes a byte order mark, which is not part of the first label.
    text = path.read_text(encoding="utf-8-sig")
    try:
        labels = PARSERS.get(path.suffix.lower(), _lines)(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not labels or not all(labels):
        raise ValueError("the file has no labels")
    return tuple(labels)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _yaml(text: str) -> list[str]:
    return _names(yaml.safe_load(text))


def _json(text: str) -> list[str]:
    return _names(json.loads(text))


def _names(value: Any) -> list[str]:  # noqa: ANN401  JSON can be anything
    """Return the names of a list, an id map, a name map, or an object that contains one."""
    if isinstance(value, dict):
        inner = next((value[key] for key in ("names", "id2label") if key in value), None)
        if inner is not None:
            return _names(inner)
        if all(isinstance(each, int) for each in value.values()):
            value = {position: name for name, position in value.items()}
        return _sorted({int(key): str(name) for key, name in value.items()})
    if isinstance(value, list):
        return [str(each).strip() for each in value]
    raise ValueError("expected a list of names, or a map of ids and names")


def _pbtxt(text: str) -> list[str]:
    names = {}
    for item in PBTXT_ITEM.findall(text):
        number, texts = PBTXT_ID.search(item), PBTXT_NAME.findall(item)
        if number is None or not texts:
            raise ValueError("an item lacks its id or name")
        names[int(number[1])] = texts[-1][1]
    return _sorted(names)


def _csv(text: str) -> list[str]:
    rows = list(csv.DictReader(text.splitlines(), skipinitialspace=True))
    columns = {str(name).strip().lower(): name for name in (rows[0] if rows else {})}
    name = next((columns[each] for each in NAME_COLUMNS if each in columns), None)
    number = next((columns[each] for each in ID_COLUMNS if each in columns), None)
    if name is None:
        raise ValueError(f"expected a header with one of the columns {', '.join(NAME_COLUMNS)}")
    if number is None:
        return [row[name].strip() for row in rows]
    return _sorted({int(row[number]): row[name].strip() for row in rows})


def _sorted(names: dict[int, str]) -> list[str]:
    """Return the names by id; ids must be consecutive and start at 0 or 1."""
    first = min(names, default=0)
    if first not in (0, 1) or set(names) != set(range(first, first + len(names))):
        raise ValueError("the ids are not consecutive numbers from 0 or 1")
    return [names[position].strip() for position in sorted(names)]


PARSERS: dict[str, Callable[[str], list[str]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": _json,
    ".pbtxt": _pbtxt,
    ".csv": _csv,
}
