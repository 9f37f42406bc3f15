"""Read class names from the files that training tools write.

| suffix | content |
|---|---|
| `.yaml`, `.yml`, `.json` | names as below, or an object with them in one of `LIST_KEYS` |
| `.pbtxt` | TensorFlow's label map; ids that start at 1 keep their order |
| `.csv` | a column of `NAME_COLUMNS`, sorted by one of `ID_COLUMNS` if present |
| others | one label per line, optionally after its number |

YAML and JSON have names as a list, an id map, a name map, or a list of objects with `id` and
`name`. CSV without a header has a column of names, and optionally one of ids.
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
PBTXT_ITEM = re.compile(r"item\s*:?\s*\{(.*?)\}", re.DOTALL)
PBTXT_ID = re.compile(r"\bid\s*:\s*(\d+)")
PBTXT_NAME = re.compile(r"""\b(?:display_name|name)\s*:\s*(["'])((?:\\.|(?!\1).)*)\1""")
NESTED = (dict, list)
ESCAPED = re.compile(r"\\(.)")
NUMBERED = re.compile(r"(\d+)\s*[\s:,;]\s*(\S.*)")
LIST_KEYS = ("names", "id2label", "labels", "classes", "categories", "class_names")
"""Fields of an object that hold the class names."""
UNUSED = "N/A"
"""Name of an id without a class, as in COCO's list."""
MAX_UNUSED = 100
"""Most unused ids of a label map: COCO has 10."""
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def parse_labels(path: Path) -> tuple[str, ...]:
    """Read the labels of a file in the order of their ids.

    Raises:
        OSError: The file is not readable.
        ValueError: The file is not UTF-8, or has no labels in its format.
    """
    content = path.read_bytes()
    # Windows writes a byte order mark, which is not part of the first label.
    text = content.decode("utf-16" if content.startswith(UTF16_MARKS) else "utf-8-sig")
    try:
        labels = PARSERS.get(path.suffix.lower(), _lines)(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not labels or not all(labels):
        raise ValueError("the file has no labels")
    return tuple(labels)


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0][0] in "[{":
        return _yaml(text)
    numbered = [NUMBERED.fullmatch(line) for line in lines]
    numbers = [int(each[1]) for each in numbered if each]
    # All lines must count from 0 or 1: a name can start with a number.
    if len(lines) > 1 and numbers in (list(range(len(lines))), list(range(1, len(lines) + 1))):
        return [each[2] for each in numbered if each]
    return lines


def _yaml(text: str) -> list[str]:
    # Every value stays a text, since `yes` and `no` can be labels.
    return _names(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506  it builds texts alone


def _json(text: str) -> list[str]:
    return _names(json.loads(text))


def _names(value: Any) -> list[str]:  # noqa: ANN401  JSON can be anything
    """Return the names of a list, an id map, a name map, or an object that contains one."""
    if isinstance(value, dict):
        inner = next((value[key] for key in LIST_KEYS if isinstance(value.get(key), NESTED)), None)
        if inner is not None:
            return _names(inner)
        if all(str(each).isdecimal() for each in value.values()):
            value = {position: name for name, position in value.items()}
        return _sorted({int(key): _name(name) for key, name in value.items()})
    if isinstance(value, list):
        if value and all(isinstance(each, dict) and "id" in each for each in value):
            return _sorted({int(each["id"]): _name(each) for each in value}, MAX_UNUSED)
        return [_name(each) for each in value]
    raise ValueError("expected a list of names, or a map of ids and names")


def _name(value: Any) -> str:  # noqa: ANN401  JSON can be anything
    """Return a name: a text, the `name` of an object, or the last of ImageNet's id and name."""
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, list):
        value = value[-1] if value else None
    if value is None or isinstance(value, NESTED):
        raise ValueError("a class has no name")
    return str(value).strip()


def _pbtxt(text: str) -> list[str]:
    names = {}
    for item in PBTXT_ITEM.findall(text):
        number, texts = PBTXT_ID.search(item), PBTXT_NAME.findall(item)
        if number is None or not texts:
            raise ValueError("an item lacks its id or name")
        names[int(number[1])] = ESCAPED.sub(r"\1", texts[-1][1])
    return _sorted(names, MAX_UNUSED)


def _csv(text: str) -> list[str]:
    first = text.partition("\n")[0]
    delimiter = next((each for each in ",;\t" if each in first), ",")
    lines = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    rows = [[value.strip() for value in row] for row in lines if any(row)]
    header = [value.lower() for value in rows[0]] if rows else []
    name = next((header.index(each) for each in NAME_COLUMNS if each in header), None)
    number = next((header.index(each) for each in ID_COLUMNS if each in header), None)
    if name is None:
        name, number = _columns(rows)
    else:
        rows = rows[1:]
    if number is None:
        return [row[name] for row in rows]
    return _sorted({int(row[number]): row[name] for row in rows})


def _columns(rows: list[list[str]]) -> tuple[int, int | None]:
    """Return the columns of the names and ids of rows without a header."""
    widths = {len(row) for row in rows}
    numbers = [
        column
        for column in range(min(widths, default=0))
        if all(row[column].isdecimal() for row in rows)
    ]
    if widths == {1} and not numbers:
        return 0, None
    if widths == {2} and len(numbers) == 1:
        return 1 - numbers[0], numbers[0]
    raise ValueError(f"expected a header with one of the columns {', '.join(NAME_COLUMNS)}")


def _sorted(names: dict[int, str], most_unused: int = 0) -> list[str]:
    """Return the names by id; ids start at 0 or 1, and unused ids get a name."""
    first, last = min(names, default=0), max(names, default=0)
    if first not in (0, 1) or last - first + 1 - len(names) > most_unused:
        raise ValueError("the ids are not consecutive numbers from 0 or 1")
    return [names.get(position, UNUSED).strip() for position in range(first, last + 1)]


PARSERS: dict[str, Callable[[str], list[str]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": _json,
    ".pbtxt": _pbtxt,
    ".csv": _csv,
}
