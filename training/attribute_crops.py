"""Crops for `vehicle_attributes`, and what is known of their kinds.

Labels of kinds come from people (vehicles_openimages, coco128, vehicle6) and from drawings. The
crops of cars come from a detector and are cars, except those that `training/kinds.csv` names: 480
crops that two classifiers doubted were looked at, one by one. Makes and colours have no labels:
the teachers name them during the training.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training import datasets, drawn
from training.boxes import FloatArray
from training.crops import (
    SMALLEST_CROP,
    VEHICLE_TYPES,
    Crop,
    ImageNetOpinion,
    labelled_photo_crops,
    one_type,
    surrounding,
    vehicle6,
)

KINDS_FILE = Path(__file__).parent / "kinds.csv"
CARS = "car_crops"
VALID = "vehicles_openimages valid"
# The crops of cars have this margin around the detector's box, as a share of its sides.
MARGIN = 0.06


def _group(folder: str, photo: str) -> str:
    """Return what must not be split: the photo, or the camera where frames look alike."""
    return f"{CARS}/{photo.split('_')[0] if folder == 'vietnam_plates' else photo}"


def looked_at() -> dict[str, str]:
    """Return the kinds of the crops of cars that were looked at, by file."""
    with KINDS_FILE.open(encoding="utf-8") as file:
        return {row["file"]: row["kind"] for row in csv.DictReader(file)}


def car_crops(
    data: Path, held_out: bool | None = None, only_looked_at: bool = False
) -> Iterator[Crop]:
    """Yield the crops of cars.

    `unclear` ones have no kind: their shares are all 0, and they are not trained on.

    Args:
        data: Folder of the data sets.
        held_out: True for those held out, False for the others, None for all.
        only_looked_at: Leave out those whose kind is not in `kinds.csv`.
    """
    folder, kinds = data / CARS, looked_at()
    with (folder / "crops.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (folder / row["file"]).exists()]
    for row in rows:
        source = row["file"].split("/")[0]
        group = _group(source, row["photo"])
        if held_out is not None and datasets.is_held_out(group) != held_out:
            continue
        if only_looked_at and row["file"] not in kinds:
            continue
        picture = datasets.read_picture(folder / row["file"])
        height, width = picture.shape[:2]
        across, down = (side * MARGIN / (1 + 2 * MARGIN) for side in (width, height))
        box = (across, down, width - across, height - down)
        types: FloatArray = one_type(kinds.get(row["file"], "car"))
        yield Crop(f"{CARS}/{source}", picture, box, types, group)


def photo_crops(data: Path, models: Path) -> list[Crop]:
    """Return the crops of photos that people labelled, the valid photos under their own source."""
    photos = [*datasets.vehicles_openimages(data, "train"), *datasets.coco128(data)]
    opinion = ImageNetOpinion(models)
    crops = [
        crop if datasets.is_held_out(crop.group) else opinion(crop)
        for crop in labelled_photo_crops(photos, SMALLEST_CROP)
    ]
    for crop in labelled_photo_crops(datasets.vehicles_openimages(data, "valid")):
        crops.append(Crop(VALID, crop.picture_bgr, crop.box, crop.types, crop.group))
    return crops


def drawn_crops() -> list[Crop]:
    """Return the vehicles of the drawn scenes, in their surroundings."""
    crops = []
    for index, sample in enumerate(drawn.scenes()):
        boxes, classes = sample.target.boxes_xyxy, sample.target.kinds.argmax(1).astype(np.int64)
        scene = datasets.Example("drawn", Path(f"scene{index}.png"), boxes, classes, True)
        for box, kind in zip(boxes, classes, strict=True):
            name = datasets.LABELS[kind]
            if name in VEHICLE_TYPES:
                crops.append(surrounding(scene, sample.picture_bgr, box, one_type(name)))
    return crops


def every_crop(data: Path, models: Path) -> list[Crop]:
    """Return all crops, those held out among them."""
    return [*photo_crops(data, models), *drawn_crops(), *vehicle6(data), *car_crops(data)]
