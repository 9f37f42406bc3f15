"""The labelled pictures the models are trained and measured on.

Every data set is read from its folder as published (`--data`, default `../shared/data`):

- vehicles_openimages: 5 classes, boxes. Each picture has boxes of **one** class only, so what is
  unlabelled is unknown, not absent (`complete` is False).
- coco128: 80 classes; the 6 that COCO shares with us are kept (`complete` is True).
- license_plates: one box class, "vehicle"; its type comes from the teachers (`complete` False).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.boxes import FloatArray, IntArray

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULT_MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"

LABELS = ("person", "bicycle", "car", "motorcycle", "bus", "truck", "ambulance")
UNTYPED_VEHICLE = -1
VEHICLES_OPENIMAGES_LABELS = ("ambulance", "bus", "car", "motorcycle", "truck")
COCO_IDS = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}


@dataclass(frozen=True, slots=True)
class Example:
    """One picture and the boxes people drew on it.

    `boxes_xyxy` (N, 4) is in pixels of the picture; `classes` (N,) indexes `LABELS`, or is
    `UNTYPED_VEHICLE`. `complete` says that an object without a box can be taken as absent.
    """

    source: str
    path: Path
    boxes_xyxy: FloatArray
    classes: IntArray
    complete: bool

    @property
    def key(self) -> str:
        """Name of the picture across data sets: `source/file`."""
        return f"{self.source}/{self.path.name}"


def read_picture(path: Path) -> np.ndarray:
    """The picture as (height, width, 3) uint8 in BGR order; `OSError` where it is unreadable."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise OSError(f"{path}: not a readable picture")
    return picture


def read_yolo_labels(path: Path) -> np.ndarray:
    """Rows of `class, x, y, w, h` (shares of the picture), without repeated lines."""
    if not path.exists():
        return np.zeros((0, 5), np.float32)
    lines = path.read_text().splitlines()
    rows = sorted({tuple(float(word) for word in line.split()) for line in lines if line.strip()})
    return np.array(rows, np.float32).reshape(-1, 5)


def _example(
    source: str, picture: Path, labels: Path, names: dict[int, int], complete: bool
) -> Example:
    rows = read_yolo_labels(labels)
    rows = rows[[int(row[0]) in names for row in rows]] if len(rows) else rows
    height, width = read_picture(picture).shape[:2]
    centre, half = rows[:, 1:3], rows[:, 3:5] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    boxes = boxes * np.array([width, height, width, height], np.float32)
    classes = np.array([names[int(row[0])] for row in rows], np.int64)
    return Example(source, picture, boxes.astype(np.float32), classes, complete)


def _folder(
    source: str, images: Path, labels: Path, names: dict[int, int], complete: bool
) -> list[Example]:
    if not images.is_dir():
        raise FileNotFoundError(f"{images}: missing; give the folder of the data sets with --data")
    return [
        _example(source, path, labels / f"{path.stem}.txt", names, complete)
        for path in sorted(images.iterdir())
    ]


def vehicles_openimages(data: Path, split: str) -> list[Example]:
    """Pictures of vehicles_openimages, `split` train or valid."""
    root = data / "vehicles_openimages" / split
    names = {i: LABELS.index(name) for i, name in enumerate(VEHICLES_OPENIMAGES_LABELS)}
    return _folder("vehicles_openimages", root / "images", root / "labels", names, False)


def coco128(data: Path) -> list[Example]:
    """The 128 pictures of coco128, those without any of our classes included."""
    root = data / "coco128"
    names = {i: LABELS.index(name) for i, name in COCO_IDS.items()}
    return _folder("coco128", root / "images", root / "labels", names, True)


def license_plates(data: Path) -> list[Example]:
    """Pictures of license_plates (both splits): vehicles without a type."""
    names = {1: UNTYPED_VEHICLE}
    return [
        example
        for split in ("train", "valid")
        for root in [data / "license_plates" / split]
        for example in _folder("license_plates", root / "images", root / "labels", names, False)
    ]


# Shares of the training pictures that are kept back for choices and for the model cards.
HELD_OUT = {"vehicles_openimages": 0.15, "vehicle6": 0.15, "coco128": 0.3, "car_crops": 0.2}


def is_held_out(key: str) -> bool:
    """Return whether the training picture `source/...` is held out; the same on every machine."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT.get(key.split("/")[0], 0.0) * 2**32
