"""Collect the crops of `vehicle_attributes`: `python -m training.attribute_data`.

Writes `training/runs/crops_*.npz`. Labels of kinds come from people (vehicles_openimages, coco128,
vehicle6) and from drawings. The crops of cars come from a detector and are cars, except those that
`training/kinds.csv` names. Makes and colours have no labels here: the teachers name them during
the training.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training import attribute_pack, datasets, drawn
from training.crops import (
    SMALLEST_CROP,
    VEHICLE_TYPES,
    Crop,
    ImageNetOpinion,
    labelled_photo_crops,
    one_type,
    vehicle6,
)
from training.data import RUNS

# The crops of cars have this margin around the detector's box, as a share of its sides.
CROP_MARGIN = 0.06
KINDS_FILE = Path(__file__).parent / "kinds.csv"
VALID = "vehicles_openimages valid"
PARTS = 2


def car_group(folder: str, photo: str) -> str:
    """Return what must not be split: the photo, or the camera where frames look alike."""
    return f"car_crops/{photo.split('_')[0] if folder == 'vietnam_plates' else photo}"


def looked_at() -> dict[str, str]:
    """Return the kinds of the crops of cars that were looked at, by file."""
    with KINDS_FILE.open(encoding="utf-8") as file:
        return {row["file"]: row["kind"] for row in csv.DictReader(file)}


def car_crops(data: Path) -> Iterator[Crop]:
    """Yield the crops of cars; `unclear` ones have no kind and are not trained on."""
    folder, kinds = data / "car_crops", looked_at()
    with (folder / "crops.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (folder / row["file"]).exists()]
    for row in rows:
        picture = datasets.read_picture(folder / row["file"])
        height, width = picture.shape[:2]
        across, down = (side * CROP_MARGIN / (1 + 2 * CROP_MARGIN) for side in (width, height))
        box = (across, down, width - across, height - down)
        source = row["file"].split("/")[0]
        types = one_type(kinds.get(row["file"], "car"))
        yield Crop(
            f"car_crops/{source}", picture, box, types, car_group(source, row["photo"])
        )


def photo_crops(data: Path, models: Path) -> list[Crop]:
    """Return the crops of photos that people labelled; none of the valid photos is trained on."""
    photos = [*datasets.vehicles_openimages(data, "train"), *datasets.coco128(data)]
    opinion = ImageNetOpinion(models)
    trained = [
        crop if datasets.is_held_out(crop.group) else opinion(crop)
        for crop in labelled_photo_crops(photos, SMALLEST_CROP)
    ]
    valid = labelled_photo_crops(datasets.vehicles_openimages(data, "valid"))
    return [
        *trained,
        *(Crop(VALID, crop.picture_bgr, crop.box, crop.types, crop.group) for crop in valid),
    ]


def drawn_crops() -> list[Crop]:
    """Return the vehicles of the drawn scenes, in their surroundings."""
    crops = []
    for index, sample in enumerate(drawn.scenes()):
        target = sample.target
        classes = target.kinds.argmax(1).astype(np.int64)
        key = Path(f"scene{index}.png")
        example = datasets.Example("drawn", key, target.boxes_xyxy, classes, True)
        crops.extend(labelled_crops_of(example, sample.picture_bgr))
    return crops


def labelled_crops_of(example: datasets.Example, picture: np.ndarray) -> list[Crop]:
    """Return the crops of a picture that is in memory."""
    from training.crops import surrounding

    return [
        surrounding(example, picture, box, one_type(datasets.LABELS[kind]))
        for box, kind in zip(example.boxes_xyxy, example.classes, strict=True)
        if datasets.LABELS[kind] in VEHICLE_TYPES
    ]


def main() -> None:
    """Collect the crops and write them in parts of about 35 MB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--models", type=Path, default=datasets.DEFAULT_MODELS)
    parser.add_argument("--runs", type=Path, default=RUNS)
    options = parser.parse_args()
    crops = [
        *photo_crops(options.data, options.models),
        *drawn_crops(),
        *vehicle6(options.data),
        *car_crops(options.data),
    ]
    for source, count in sorted(Counter(crop.source for crop in crops).items()):
        kinds = np.sum([crop.types for crop in crops if crop.source == source], 0).round()
        print(source, count, dict(zip(VEHICLE_TYPES, kinds.astype(int).tolist(), strict=True)))
    options.runs.mkdir(parents=True, exist_ok=True)
    for part in range(PARTS):
        path = options.runs / f"crops_{part}.npz"
        attribute_pack.write(crops[part::PARTS], {VALID}, path)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
