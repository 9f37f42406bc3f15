"""Measure `vehicle_attributes` on crops that nothing was trained on; torch is not needed.

Makes and colours have no human labels: they are compared with the teachers, where these are sure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from training import datasets
from training.attribute_crops import car_crops
from training.boxes import iou
from training.crops import (
    VEHICLE_TYPES,
    Crop,
    labelled_photo_crops,
    normalised,
    shrunk,
    square,
    vehicle6,
)
from training.detection import detect
from training.kind_rule import MAKE_THRESHOLD, combined
from training.names import (
    COLOUR_TEACHER,
    COLOURS,
    MAKE_TEACHER,
    make_labels,
    merged,
    teacher_rows,
)
from training.teachers import open_session

SIDE = 224
SURE = 0.8
DETECTED = 0.4
"""Smallest score of a detection, as in the API."""
SAME_OBJECT = 0.5
FAR = 72
"""Pixels that a far vehicle has, on its longer side."""
BINS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0)
FEWEST = 10
"""Minimum of crops of a make, with a sure teacher, to list it."""

Answers = list[np.ndarray]


def tensor(crop_bgr: np.ndarray) -> np.ndarray:
    """Return the network's input (1, 3, SIDE, SIDE) for a crop."""
    return normalised(square(crop_bgr, SIDE)[None])


def answers(session: onnxruntime.InferenceSession, crops: Iterable[np.ndarray]) -> Answers:
    """Return what a network answers for crops, one array per output."""
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: tensor(crop)}) for crop in crops]
    return [np.concatenate(output) for output in zip(*rows, strict=True)]


def accuracy_table(predicted: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Return accuracy over all crops and by kind, wrong answers counted by the predicted kind."""
    kinds = {}
    for kind in np.unique(right):
        own = predicted[right == kind]
        kinds[VEHICLE_TYPES[kind]] = {
            "crops": len(own),
            "accuracy": round(float((own == kind).mean()), 3),
            "mistaken_for": {
                VEHICLE_TYPES[k]: int((own == k).sum()) for k in np.unique(own) if k != kind
            },
        }
    overall = round(float((predicted == right).mean()), 3)
    return {"crops": len(predicted), "accuracy": overall, "classes": kinds}


def kind_table(session: onnxruntime.InferenceSession, crops: list[Crop]) -> dict[str, Any]:
    """Return how well the network alone names kinds."""
    logits = answers(session, (crop.cut() for crop in crops))[1]
    return accuracy_table(logits.argmax(1), np.array([crop.types.argmax() for crop in crops]))


@dataclass(frozen=True, slots=True)
class MatchedVehicles:
    """Labelled vehicles that the detector finds, one row per vehicle.

    Attributes:
        right: Position of the label in `VEHICLE_TYPES`, (n,).
        detected: The detector's class, n names of `VEHICLE_TYPES`.
        logits: The network's logits of kinds for the detector's box, (n, 7).
    """

    right: np.ndarray
    detected: list[str]
    logits: np.ndarray


def matched_vehicles(
    detector: Callable[[np.ndarray], np.ndarray],
    session: onnxruntime.InferenceSession,
    photos: list[datasets.Example],
) -> MatchedVehicles:
    """Return what detector and network answer for the labelled vehicles of photos."""
    right, detected, crops = [], [], []
    for photo in photos:
        picture = datasets.read_picture(photo.path)
        found = detect(detector, picture, DETECTED)
        names = [datasets.LABELS[c] for c in found.classes]
        scores = found.scores * [name in VEHICLE_TYPES for name in names]
        overlaps = iou(photo.boxes_xyxy, found.boxes_xyxy)
        for label, row in zip(photo.classes, overlaps, strict=True):
            name, near = datasets.LABELS[label], np.where(row >= SAME_OBJECT, scores, 0)
            if name not in VEHICLE_TYPES or near.max(initial=0) == 0:
                continue
            best = int(near.argmax())
            x1, y1, x2, y2 = found.boxes_xyxy[best].round().astype(int)
            right.append(VEHICLE_TYPES.index(name))
            detected.append(names[best])
            crops.append(picture[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)])
    logits = answers(session, crops)[1]
    return MatchedVehicles(np.array(right), detected, logits)


def rule_table(vehicles: MatchedVehicles) -> dict[str, Any]:
    """Return the accuracy of detector alone, network alone, and both together."""
    both = combined(vehicles.logits, vehicles.detected).argmax(1)
    return {
        name: accuracy_table(predicted, vehicles.right)
        for name, predicted in (
            ("detector", np.array([VEHICLE_TYPES.index(name) for name in vehicles.detected])),
            ("network", vehicles.logits.argmax(1)),
            ("both", both),
        )
    }


def calibration(predicted: np.ndarray, truth: np.ndarray) -> list[dict[str, float]]:
    """Return, by the probability of the first make, the teacher's own probability of it."""
    best, first = predicted.max(1), predicted.argmax(1)
    expected = truth[np.arange(len(truth)), first]
    rows = []
    for low, high in pairwise(BINS):
        is_above = best >= low if low == BINS[0] else best > low
        chosen = is_above & (best <= high)
        if not chosen.any():
            continue
        rows.append(
            {
                "from": low,
                "to": high,
                "crops": int(chosen.sum()),
                "probability": round(float(best[chosen].mean()), 3),
                "teacher": round(float(expected[chosen].mean()), 3),
                "agree": round(float((first == truth.argmax(1))[chosen].mean()), 3),
            }
        )
    return rows


def make_table(predicted: np.ndarray, one_view: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Return the figures of makes.

    Args:
        predicted: The network's probabilities, (n, makes + 1).
        one_view: The teacher's for the same crop.
        truth: The mean of the teacher's for four views of it.
    """
    first, sure = predicted.argmax(1), one_view.max(1) >= SURE
    agree = first == one_view.argmax(1)
    named = predicted[:, :-1].max(1) >= MAKE_THRESHOLD
    by_make: dict[str, list[bool]] = defaultdict(list)
    for make, right in zip(truth[sure].argmax(1), (first == truth.argmax(1))[sure], strict=True):
        by_make[make_labels()[make]].append(bool(right))
    return {
        "crops": len(predicted),
        "teacher_sure": round(float(sure.mean()), 3),
        "agree_where_sure": round(float(agree[sure].mean()), 3),
        "agree": round(float(agree.mean()), 3),
        "named": round(float(named.mean()), 3),
        "named_agree": round(float((first == truth.argmax(1))[named].mean()), 3),
        "named_expected": round(float(truth[named, first[named]].mean()), 3),
        "teacher_named_expected": round(float(truth[sure, one_view.argmax(1)[sure]].mean()), 3),
        "calibration": calibration(predicted, truth),
        "makes": {
            make: {"crops": len(rights), "agree": round(float(np.mean(rights)), 3)}
            for make, rights in sorted(by_make.items(), key=lambda item: -len(item[1]))
            if len(rights) >= FEWEST
        },
    }


def colour_table(predicted: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Return how the network's colours (n, 14) agree with the teacher's."""
    sure, right = truth.max(1) >= SURE, truth.argmax(1)
    agree = predicted.argmax(1) == right
    return {
        "crops": len(predicted),
        "teacher_sure": round(float(sure.mean()), 3),
        "agree_where_sure": round(float(agree[sure].mean()), 3),
        "agree": round(float(agree.mean()), 3),
        "colours": {
            name: {"crops": int(own.sum()), "agree": round(float(agree[own].mean()), 3)}
            for index, name in enumerate(COLOURS)
            for own in [sure & (right == index)]
            if own.any()
        },
    }


def teacher_tables(
    session: onnxruntime.InferenceSession, crops: list[Crop], models: Path
) -> dict[str, Any]:
    """Return how makes and colours agree with the teachers on held-out crops of cars."""
    brand, colours = (open_session(models / path) for path in (MAKE_TEACHER, COLOUR_TEACHER))
    rows = teacher_rows(models)
    cuts = [crop.cut() for crop in crops]
    whole = [crop.picture_bgr for crop in crops]
    views = [
        merged(answers(brand, pictures)[0], rows)
        for pictures in (cuts, [c[:, ::-1] for c in cuts], whole, [w[:, ::-1] for w in whole])
    ]
    truth = np.mean(views, axis=0)
    make, _, colour = answers(session, cuts)
    teacher_colour = answers(colours, cuts)[0]
    known = truth.max(1) >= SURE
    small = [shrunk(cut, FAR) for cut, chosen in zip(cuts, known, strict=True) if chosen]
    goal = truth[known].argmax(1)
    return {
        "makes": make_table(make, views[0], truth),
        "makes_far": {
            "crops": int(known.sum()),
            "pixels": FAR,
            "network": round(float((answers(session, small)[0].argmax(1) == goal).mean()), 3),
            "teacher": round(
                float((merged(answers(brand, small)[0], rows).argmax(1) == goal).mean()), 3
            ),
        },
        "colours": colour_table(colour, teacher_colour),
    }


def scores(path: Path, detector: Path, data: Path, models: Path) -> dict[str, Any]:
    """Return every number of the card of the model at `path`."""
    session, boxes = open_session(path), open_session(detector)
    valid = datasets.vehicles_openimages(data, "valid")
    coco = [e for e in datasets.coco128(data) if datasets.is_held_out(e.key)]
    train = datasets.vehicles_openimages(data, "train")
    held = [e for e in train if datasets.is_held_out(e.key)]
    cars = list(car_crops(data, held_out=True))
    sources = {
        "coco128 held out": labelled_photo_crops(coco),
        "vehicles_openimages held out": labelled_photo_crops(held),
        "vehicles_openimages valid": labelled_photo_crops(valid),
        "car_crops looked at, held out": [
            crop for crop in car_crops(data, True, only_looked_at=True) if crop.types.any()
        ],
        "vehicle6 held out": [c for c in vehicle6(data) if datasets.is_held_out(c.group)],
    }

    def run(images: np.ndarray) -> np.ndarray:
        return np.asarray(boxes.run(None, {"images": images})[0])

    return {
        "bytes": path.stat().st_size,
        "kinds": {source: kind_table(session, crops) for source, crops in sources.items()},
        "rule": {
            name: rule_table(matched_vehicles(run, session, photos))
            for name, photos in (
                ("vehicles_openimages valid", valid),
                ("vehicles_openimages held out", held),
            )
        },
        **teacher_tables(session, cars, models),
    }
