"""Names of makes, kinds and colours, and of the files of Spectrico's classifiers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

MAKES_FILE = Path(__file__).parent / "makes.txt"
MAKE_TEACHER = Path("spectrico_brand") / "car_brand_mobilenetv3_224.onnx"
MAKE_TEACHER_LABELS = Path("spectrico_brand") / "labels_make.txt"
COLOUR_TEACHER = Path("spectrico_color") / "car_color_mobilenetv3_224.onnx"
OTHER = "other"
COLOURS = (
    "black", "white", "grey", "silver", "blue", "red", "green", "brown", "beige", "golden",
    "bordeaux", "yellow", "violet", "orange",
)  # fmt: skip
"""The colour teacher's labels, in its order."""


def named_makes() -> tuple[str, ...]:
    """Return the makes that the network names, without `other`."""
    return tuple(MAKES_FILE.read_text(encoding="utf-8").splitlines())


def make_labels() -> tuple[str, ...]:
    """Return the labels of the output `make`."""
    return (*named_makes(), OTHER)


def teacher_rows(models: Path) -> list[int]:
    """Return the position of each named make among the make teacher's labels."""
    labels = (models / MAKE_TEACHER_LABELS).read_text(encoding="utf-8").splitlines()
    return [labels.index(name) for name in named_makes()]


def merged(probabilities: np.ndarray, rows: list[int]) -> np.ndarray:
    """Return the teacher's probabilities (n, 397) as (n, makes + 1), the rest in `other`."""
    named = probabilities[:, rows]
    return np.concatenate([named, (1 - named.sum(1, keepdims=True)).clip(min=0)], 1)
