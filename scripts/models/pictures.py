"""Read the pictures to check a model with, and cut out what a classifier sees."""

from __future__ import annotations

import random
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from inference.decoding.decode import decode
from inference.detection import Detector
from inference.errors import PictureError
from inference.types import Detection, ImageRGB
from scripts.models.errors import ToolError
from scripts.models.labelled import NamedBox, true_boxes
from scripts.models.naming import GENERAL
from scripts.models.product import SETTINGS, crops, vehicles
from scripts.models.truths import WORDS

Item = TypeVar("Item")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
MIN_SIDE = 24
"""Smallest side of a labelled object in pixels; classifiers are not judged by less."""
MAX_CROPS = 240
"""Maximum number of crops for comparing a classifier's inputs; more take longer."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to check with.

    Attributes:
        name: The path as the user gave it.
        folder: Name of its folder, which can be its label.
        image_rgb: Pixels, uint8 [height, width, 3].
        boxes: True objects, or None if the picture is not labelled with boxes.
    """

    name: str
    folder: str
    image_rgb: ImageRGB
    boxes: tuple[NamedBox, ...] | None = None


@dataclass(frozen=True, slots=True)
class Crop:
    """An object that a classifier gets.

    Attributes:
        image_rgb: Pixels, uint8 [height, width, 3].
        class_name: Its class as the labels or the embedded detector name it.
        folder: Name of the folder of its picture.
    """

    image_rgb: ImageRGB
    class_name: str
    folder: str


def read_pictures(directory: Path) -> tuple[list[Picture], list[str]]:
    """Return the pictures below a directory, and the reasons why others cannot be read.

    Raises:
        ToolError: There are no pictures.
    """
    pictures, failed = [], []
    boxes = true_boxes(directory)
    for path in sorted(directory.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        try:
            image_rgb = decode(path.read_bytes(), max_pixels=SETTINGS.max_pixels)
        except PictureError as error:
            failed.append(f"{path}: {error.message}")
            continue
        known = boxes.get(path.resolve())
        pictures.append(Picture(path.as_posix(), path.parent.name, image_rgb, known))
    if not pictures:
        raise ToolError(f"{directory} has no pictures ({', '.join(sorted(SUFFIXES))})")
    return pictures, failed


def read_crops(finder: Detector, pictures: Sequence[Picture]) -> list[Crop]:
    """Return the labelled vehicles of the pictures, or else those that the finder sees."""
    names = {*finder.task.vehicles, *WORDS, *GENERAL.split()}
    known = [_labelled(picture.boxes or (), names) for picture in pictures]
    found = []
    for picture, labelled in zip(pictures, known, strict=True):
        objects = labelled
        if picture.boxes is None or not any(known):
            objects = vehicles(finder, picture.image_rgb, SETTINGS.detection_threshold)
        crops_rgb = crops(picture.image_rgb, objects)
        found += [
            Crop(crop_rgb, each.class_name, picture.folder)
            for each, crop_rgb in zip(objects, crops_rgb, strict=True)
        ]
    return mixed(evenly(found, MAX_CROPS))


def mixed(items: Sequence[Item]) -> list[Item]:
    """Return the items in an order whose beginning is like the rest, always the same."""
    # The order says nothing secret.
    return random.Random(0).sample(items, len(items))  # noqa: S311


def evenly(items: Sequence[Item], most: int) -> Sequence[Item]:
    """Return at most this many items from all over the list: folders often hold one class."""
    step = max(1, -(-len(items) // most))
    return items[::step]


def _labelled(boxes: Sequence[NamedBox], names: Set[str]) -> list[Detection]:
    """Return the true objects of some classes that are not too small."""
    objects = []
    for name, (left, top, right, bottom) in boxes:
        # Outlines can leave the picture.
        box_xyxy = (max(0, round(left)), max(0, round(top)), round(right), round(bottom))
        sides = box_xyxy[2] - box_xyxy[0], box_xyxy[3] - box_xyxy[1]
        if name.lower() in names and min(sides) >= MIN_SIDE:
            objects.append(Detection(box_xyxy, name.lower(), 1.0))
    return objects
