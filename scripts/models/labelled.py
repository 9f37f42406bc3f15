"""Read pictures with true answers, in the folders of common data sets.

| format | folder |
|---|---|
| YOLO | `images/` and `labels/` with a text per picture: class, cx, cy, w, h of 0..1; and a YAML \
file with `names` |
| COCO | pictures, and a JSON file with `images`, `annotations` and `categories` |
| classes | one folder of pictures per label |
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from scripts.models.errors import ToolError
from scripts.models.label_files import parse_labels

YOLO_COLUMNS = 5
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and its true answers.

    Attributes:
        path: The picture.
        boxes: (class name, x1, y1, x2, y2 in pixels) of each object.
        label: Name of the picture's folder.
    """

    path: Path
    boxes: tuple[tuple[str, Box], ...]
    label: str


def read_labelled(folder: Path) -> tuple[list[Labelled], str]:
    """Return the pictures of a folder, and its format: `YOLO`, `COCO` or `classes`.

    Raises:
        ToolError: The folder has none of the formats.
    """
    for path in sorted(folder.rglob("*.json")):
        if (values := _coco(path)) is not None:
            return _read_coco(folder, values), "COCO"
    if any(folder.rglob("labels/*.txt")):
        return _read_yolo(folder), "YOLO"
    pictures = [
        Labelled(path, (), path.parent.name)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PICTURES
    ]
    if len({each.label for each in pictures}) > 1:
        return pictures, "classes"
    raise ToolError(
        f"{folder} has no labels: expected images/ and labels/ (YOLO), a JSON file with images, "
        "annotations and categories (COCO), or a folder of pictures per class"
    )


def _coco(path: Path) -> Mapping[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    keys = {"images", "annotations", "categories"}
    return values if isinstance(values, dict) and keys <= set(values) else None


def _read_coco(folder: Path, values: Mapping[str, Any]) -> list[Labelled]:
    names = {each["id"]: each["name"] for each in values["categories"]}
    boxes: dict[Any, list[tuple[str, Box]]] = defaultdict(list)
    for each in values["annotations"]:
        x, y, width, height = each["bbox"]
        box = (names[each["category_id"]], (x, y, x + width, y + height))
        boxes[each["image_id"]].append(box)
    paths = {path.name: path for path in folder.rglob("*") if path.suffix.lower() in PICTURES}
    return [
        Labelled(paths[name], tuple(boxes[each["id"]]), "")
        for each in values["images"]
        if (name := Path(each["file_name"]).name) in paths
    ]


def _read_yolo(folder: Path) -> list[Labelled]:
    names = _yolo_names(folder)
    pictures = []
    for path in sorted(folder.rglob("images/*")):
        text = path.parent.parent / "labels" / f"{path.stem}.txt"
        if path.suffix.lower() not in PICTURES or not text.is_file():
            continue
        with Image.open(path) as opened:
            size_wh = opened.size
        rows = [line.split() for line in text.read_text().splitlines()]
        boxes = tuple(_yolo_box(row, names, size_wh) for row in rows if len(row) == YOLO_COLUMNS)
        pictures.append(Labelled(path, boxes, ""))
    return pictures


def _yolo_box(row: list[str], names: tuple[str, ...], size_wh: tuple[int, int]) -> tuple[str, Box]:
    width, height = size_wh
    x, y, w, h = (float(value) for value in row[1:])
    box = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
    return names[int(row[0])], box


def _yolo_names(folder: Path) -> tuple[str, ...]:
    for path in [*sorted(folder.glob("*.y*ml")), folder / "classes.txt"]:
        try:
            return parse_labels(path)
        except (OSError, ValueError):
            continue
    raise ToolError(f"{folder} has no YAML file with names of classes, and no classes.txt")
