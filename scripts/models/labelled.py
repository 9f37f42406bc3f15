"""Read pictures with true answers, in the folders of common data sets.

| format | folder |
|---|---|
| YOLO | `images/` and `labels/` with a text per picture: class, cx, cy, w, h of 0..1, or the \
corners of an outline; and a YAML file with `names` |
| COCO | pictures, and a JSON file with `images`, `annotations` and `categories` |
| classes | one folder of pictures per label |
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from scripts.models.errors import ToolError
from scripts.models.label_files import parse_labels

YOLO_COLUMNS = 5
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
Box = tuple[float, float, float, float]
NamedBox = tuple[str, Box]
"""Class name, and x1, y1, x2, y2 in pixels."""
LABEL_FOLDERS = ("labels", "annotations")
"""Folders with true boxes; the pictures' folder is next to them or below a neighbour."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and its true answers.

    Attributes:
        path: The picture.
        boxes: (class name, x1, y1, x2, y2 in pixels) of each object.
        label: Name of the picture's folder.
    """

    path: Path
    boxes: tuple[NamedBox, ...]
    label: str


def read_labelled(folder: Path) -> tuple[list[Labelled], str]:
    """Return the pictures of a folder, and its format: `YOLO`, `COCO` or `classes`.

    Raises:
        ToolError: The folder has none of the formats.
    """
    if values := [each for path in sorted(folder.rglob("*.json")) if (each := _coco(path))]:
        return _read_coco(folder, values), "COCO"
    if any(folder.rglob("labels/**/*.txt")):
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


def true_boxes(directory: Path) -> dict[Path, tuple[NamedBox, ...]]:
    """Return the true boxes of pictures by resolved path; empty without YOLO's or COCO's labels.

    Args:
        directory: A labelled folder, or the folder of pictures inside of one.
    """
    parents = directory.resolve().parents[:2]
    around = [each for each in parents if any((each / name).is_dir() for name in LABEL_FOLDERS)]
    for folder in (directory, *around):
        try:
            pictures, kind = read_labelled(folder)
        except ToolError:
            continue
        if kind != "classes":
            return {each.path.resolve(): each.boxes for each in pictures}
    return {}


def _coco(path: Path) -> Mapping[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    keys = {"images", "annotations", "categories"}
    return values if isinstance(values, dict) and keys <= set(values) else None


def _read_coco(folder: Path, files: Sequence[Mapping[str, Any]]) -> list[Labelled]:
    paths = {path.name: path for path in folder.rglob("*") if path.suffix.lower() in PICTURES}
    pictures = []
    for values in files:
        names = {each["id"]: each["name"] for each in values["categories"]}
        boxes: dict[Any, list[NamedBox]] = defaultdict(list)
        for each in values["annotations"]:
            x, y, width, height = each.get("bbox") or (0, 0, 0, 0)
            if width and height:
                box = (names[each["category_id"]], (x, y, x + width, y + height))
                boxes[each["image_id"]].append(box)
        pictures += [
            Labelled(paths[name], tuple(boxes[each["id"]]), "")
            for each in values["images"]
            if (name := Path(each["file_name"]).name) in paths
        ]
    return pictures


def _read_yolo(folder: Path) -> list[Labelled]:
    names = _yolo_names(folder)
    pictures = []
    for path in sorted(folder.rglob("*")):
        text = _yolo_text(path, folder)
        if text is None or not text.is_file():
            continue
        with Image.open(path) as opened:
            size_wh = opened.size
        rows = [line.split() for line in text.read_text().splitlines()]
        try:
            boxes = tuple(
                _yolo_box(row, names, size_wh) for row in rows if len(row) >= YOLO_COLUMNS
            )
        except (ValueError, IndexError) as error:
            raise ToolError(f"{text} has a class without a name, or no numbers") from error
        pictures.append(Labelled(path, boxes, ""))
    return pictures


def _yolo_text(path: Path, folder: Path) -> Path | None:
    """Return the text of a picture: `labels` instead of `images` in its path below the folder."""
    parts = [*path.relative_to(folder).parts]
    if path.suffix.lower() not in PICTURES or "images" not in parts:
        return None
    parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return folder.joinpath(*parts).with_suffix(".txt")


def _yolo_box(row: list[str], names: tuple[str, ...], size_wh: tuple[int, int]) -> NamedBox:
    width, height = size_wh
    numbers = [float(value) for value in row[1:]]
    if len(numbers) > YOLO_COLUMNS:
        left, right = min(numbers[::2]), max(numbers[::2])
        top, bottom = min(numbers[1::2]), max(numbers[1::2])
    else:
        x, y, w, h = numbers[:4]
        left, top, right, bottom = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    return names[int(row[0])], (left * width, top * height, right * width, bottom * height)


def _yolo_names(folder: Path) -> tuple[str, ...]:
    folders = (folder, *folder.resolve().parents[:1])
    for path in (
        each for one in folders for each in (*sorted(one.glob("*.y*ml")), one / "classes.txt")
    ):
        try:
            return parse_labels(path)
        except (OSError, ValueError):
            continue
    raise ToolError(f"{folder} has no YAML file with names of classes, and no classes.txt")
