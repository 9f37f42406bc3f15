"""Class names: from a text file, from the lists that come along, or from the model's own file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.models.errors import ToolError

FOLDER = Path(__file__).parent / "lists"
"""Its LICENSE is that of both lists: they are torchvision's (torchvision/models/_meta.py)."""
COCO_NONE = ("background", "N/A")
"""Ids of COCO's 91 that no box has."""

MOST_INLINE = 20
LABELS_FILE = "labels.txt"
LIKELY_VEHICLES = frozenset(
    ("car", "truck", "bus", "van", "vehicle", "motorcycle", "motorbike", "pickup", "minibus"),
)


def known_lists() -> dict[str, tuple[str, ...]]:
    """The lists that come along, by name."""
    coco, imagenet = (
        tuple((FOLDER / file).read_text(encoding="utf-8").splitlines())
        for file in ("coco91.txt", "imagenet1000.txt")
    )
    return {
        "coco80": tuple(name for name in coco if name not in COCO_NONE),
        "coco90": coco[1:],
        "coco91": coco,
        "imagenet1000": imagenet,
        "imagenet1001": (COCO_NONE[0], *imagenet),
    }


def read_labels(text: str) -> tuple[str, ...]:
    """The labels of a known list, or of a text file with one per line.

    Raises:
        ToolError: It is neither, or the file has no lines.
    """
    lists = known_lists()
    if text in lists:
        return lists[text]
    try:
        lines = Path(text).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ToolError(
            f"labels: {text!r} is neither a UTF-8 text file with one label per line nor one of "
            f"{', '.join(lists)}"
        ) from error
    labels = tuple(line.strip() for line in lines if line.strip())
    if not labels:
        raise ToolError(f"labels: {text} has no lines")
    return labels


def likely_list(class_count: int | None) -> str | None:
    """The well-known list with this many classes."""
    return next((name for name, each in known_lists().items() if len(each) == class_count), None)


def check_count(labels: Sequence[str], class_count: int | None, where: str) -> None:
    """Check that every class has a label and every label a class.

    Raises:
        ToolError: The message says how many are wanted, and what is often wrong.
    """
    if class_count in (None, len(labels)):
        return
    hint = ""
    if len(labels) - (class_count or 0) == 1:
        hint = ": is there a background or a heading among the labels?"
    elif (class_count or 0) - len(labels) == 1:
        hint = ": the model may count the background as its first class; write it as first label"
    raise ToolError(f"labels: {where} has {class_count} classes, you give {len(labels)}{hint}")


def likely_vehicles(labels: Sequence[str]) -> list[str]:
    """Labels that are kinds of vehicle by their name."""
    return [label for label in labels if label.lower() in LIKELY_VEHICLES]
