"""Measure the committed models: `python -m training.evaluate [detector] [classifier]`.

Reads `models/<name>/model.onnx` and the data sets, writes `models/<name>/metrics.json`, which
holds every number of the model cards. No picture it measures on was trained on.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from training import datasets
from training.average_precision import Found, Truth, average_precision, rates
from training.crops import Crop, labelled_photo_crops, resized, vehicle6
from training.detection import detect
from training.mobilenet import VEHICLE_TYPES, normalised
from training.progress import Progress
from training.teachers import open_session

BUNDLED = Path(__file__).resolve().parents[1] / "models"
THRESHOLD = 0.4
SMALLEST_SHARE = 0.005
VEHICLES_OPENIMAGES = [datasets.LABELS.index(n) for n in datasets.VEHICLES_OPENIMAGES_LABELS]


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers and labels of one set of pictures."""

    found: list[Found]
    truth: list[Truth]


def measure(session: onnxruntime.InferenceSession, examples: list[datasets.Example]) -> Measured:
    """Run the detector on every picture, at a threshold low enough for average precision."""
    found, progress = [], Progress(len(examples))
    for done, example in enumerate(examples, 1):
        picture = datasets.read_picture(example.path)
        found.append(detect(lambda images: session.run(None, {"images": images})[0], picture))
        if done % 50 == 0:
            print(progress.line(done), flush=True)
    return Measured(found, [Truth(e.boxes_xyxy, e.classes) for e in examples])


def precision_table(measured: Measured, kinds: list[int]) -> dict[str, Any]:
    """AP50, AP50-95, and precision and recall at the default threshold, by class."""
    thresholds = np.arange(0.5, 0.96, 0.05)
    table = {}
    for kind in kinds:
        every = [average_precision(measured.found, measured.truth, kind, t) for t in thresholds]
        precision, recall = rates(measured.found, measured.truth, kind, THRESHOLD)
        table[datasets.LABELS[kind]] = {
            "objects": sum(int((labels.classes == kind).sum()) for labels in measured.truth),
            "ap50": round(every[0], 3),
            "ap50_95": round(float(np.mean(every)), 3),
            "precision": round(precision, 3),
            "recall": round(recall, 3),
        }
    return table


def evaluate_detector(path: Path, data: Path) -> dict[str, Any]:
    """Every number of the detector's card."""
    session = open_session(path)
    valid = datasets.vehicles_openimages(data, "valid")
    coco = [e for e in datasets.coco128(data) if datasets.is_held_out(e.key)]
    classes = precision_table(measure(session, valid), VEHICLES_OPENIMAGES)
    four = [row["ap50"] for name, row in classes.items() if name != "ambulance"]
    coco_ids = [datasets.LABELS.index(name) for name in datasets.COCO_IDS.values()]
    return {
        "vehicles_openimages valid": {
            "pictures": len(valid),
            "map50_four": round(float(np.mean(four)), 3),
            "map50_five": round(float(np.mean([row["ap50"] for row in classes.values()])), 3),
            "classes": classes,
        },
        "coco128 held out": {
            "pictures": len(coco),
            "classes": precision_table(measure(session, coco), coco_ids),
        },
    }


def answers(session: onnxruntime.InferenceSession, crops: list[Crop]) -> np.ndarray:
    """Index into `VEHICLE_TYPES` that the classifier gives every crop, shape (n,)."""
    kinds = []
    for crop in crops:
        tensor = normalised(resized(crop.cut())[None])
        kinds.append(int(session.run(None, {"images": tensor})[0].argmax()))
    return np.array(kinds)


def accuracy_table(session: onnxruntime.InferenceSession, crops: list[Crop]) -> dict[str, Any]:
    """Accuracy over all crops and by class, with the wrong answers counted by what they said."""
    given = answers(session, crops)
    right = np.array([int(crop.types.argmax()) for crop in crops])
    classes = {}
    for kind in np.unique(right):
        said = given[right == kind]
        wrong = {VEHICLE_TYPES[k]: int((said == k).sum()) for k in np.unique(said) if k != kind}
        classes[VEHICLE_TYPES[kind]] = {
            "crops": len(said),
            "accuracy": round(float((said == kind).mean()), 3),
            "mistaken_for": wrong,
        }
    overall = round(float((given == right).mean()), 3)
    return {"crops": len(crops), "accuracy": overall, "classes": classes}


def _visible(crop: Crop, picture_area: float) -> bool:
    x1, y1, x2, y2 = crop.box
    return (x2 - x1) * (y2 - y1) >= SMALLEST_SHARE * picture_area


def evaluate_classifier(path: Path, data: Path) -> dict[str, Any]:
    """Every number of the classifier's card."""
    session = open_session(path)
    photos = labelled_photo_crops(datasets.vehicles_openimages(data, "valid"))
    large = [crop for crop in photos if _visible(crop, 416 * 416)]
    coco = [e for e in datasets.coco128(data) if datasets.is_held_out(e.key)]
    camera = [crop for crop in vehicle6(data) if datasets.is_held_out(crop.group)]
    return {
        "coco128 held out": accuracy_table(session, labelled_photo_crops(coco)),
        "vehicles_openimages valid": accuracy_table(session, photos),
        "vehicles_openimages valid, boxes above the size threshold": accuracy_table(session, large),
        "vehicle6 held out": accuracy_table(session, camera),
    }


def main() -> None:
    """Measure the models asked for, both by default, and write their metrics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="detector, classifier; both by default")
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--bundled", type=Path, default=BUNDLED)
    options = parser.parse_args()
    evaluators = {"detector": evaluate_detector, "classifier": evaluate_classifier}
    for name in options.models or evaluators:
        folder = options.bundled / f"vehicle_{name}"
        metrics = evaluators[name](folder / "model.onnx", options.data)
        text = json.dumps(metrics, indent=2)
        (folder / "metrics.json").write_text(text + "\n")
        print(text)


if __name__ == "__main__":
    main()
