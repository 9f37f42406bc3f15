"""Class names from a text file, a known list, or the model's own file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.models.errors import ToolError
from scripts.models.label_files import parse_labels

FOLDER = Path(__file__).parent / "lists"
"""Folder of the lists; its LICENSE covers both, from torchvision (torchvision/models/_meta.py)."""
COCO_NONE = ("background", "N/A")
"""Names of COCO's 91 ids that no box has."""

BACKGROUND = ("background", "__background__", "???")
"""First names of lists for TensorFlow's detectors, which no box has."""

MOST_INLINE = 20
LABELS_FILE = "labels.txt"
ADJACENT_FILES = ("labels.txt", "classes.txt", "data.yaml", "config.json", "label_map.pbtxt")
"""Names under which training tools save labels next to a model."""
LIKELY_VEHICLES = frozenset(
    (
        *("ambulance", "bus", "car", "lorry", "minibus", "minivan", "motorbike", "motorcycle"),
        *("pickup", "suv", "taxi", "trailer", "truck", "van", "vehicle"),
    )
)


def known_lists() -> dict[str, tuple[str, ...]]:
    """Return the included lists by name."""
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
    """Return the labels of a known list, or of a file; see `label_files`.

    Raises:
        ToolError: The text is neither.
    """
    lists = known_lists()
    if text in lists:
        return lists[text]
    try:
        return parse_labels(Path(text).expanduser())
    except (OSError, ValueError) as error:
        raise ToolError(
            f"labels: {text!r} is neither a file of labels (text, YAML, JSON, pbtxt or CSV in "
            f"UTF-8) nor one of {', '.join(lists)}: {error}"
        ) from error


def adjacent_labels(model: Path, class_count: int | None) -> tuple[Path, tuple[str, ...]] | None:
    """Return the first label file next to the model that has this many labels, or None."""
    for name in ADJACENT_FILES:
        path = model.parent / name
        try:
            labels = parse_labels(path)
        except (OSError, ValueError):
            continue
        if class_count in (None, len(labels)):
            return path, labels
    return None


def likely_list(class_count: int | None) -> str | None:
    """Return the name of the known list with this many classes, or None."""
    return next((name for name, each in known_lists().items() if len(each) == class_count), None)


def check_count(labels: Sequence[str], class_count: int | None, where: str) -> None:
    """Check that the number of labels is the number of classes.

    Raises:
        ToolError: The message has both numbers and a hint.
    """
    if class_count in (None, len(labels)):
        return
    raise ToolError(
        f"labels: {where} has {class_count} classes, but the number of labels is "
        f"{len(labels)}{_hint(labels, class_count or 0)}"
    )


def _hint(labels: Sequence[str], class_count: int) -> str:
    """Explain a line of all names, or a difference of one, as a background class causes."""
    if len(labels) == 1 and labels[0].count(",") == class_count - 1:
        return ". Write one per line"
    if len(labels) == class_count + 1:
        return (
            f". If {labels[0]!r} is a heading or the background, remove it: {labels[1]!r} then "
            "moves from class 1 to 0"
        )
    if len(labels) == class_count - 1:
        return (
            f". If class 0 is the background, add it as the first label: {labels[0]!r} then "
            f"moves from class 0 to 1, and {labels[-1]!r} to {class_count - 1}"
        )
    return ""


def without_background(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels without a first one that means the background."""
    return labels[1:] if len(labels) > 1 and labels[0].lower() in BACKGROUND else labels


def likely_vehicles(labels: Sequence[str]) -> list[str]:
    """Return the labels that name kinds of vehicle."""
    return [label for label in labels if label.lower() in LIKELY_VEHICLES]
