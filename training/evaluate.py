"""Measure the committed models: `python -m training.evaluate [detector] [classifier]`.

Reads the float models in `training/weights/` and what `models/<name>/` ships, makes the int8
versions, and writes `models/<name>/metrics.json` and the tables of `MODEL_CARD.md`: every
number of the cards comes from here. torch is not needed. No picture of the tables was trained on,
except where a table says so.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from training import cards, datasets
from training.average_precision import Found, Truth, average_precision, rates
from training.crops import VEHICLE_TYPES, Crop, labelled_photo_crops, normalised, resized, vehicle6
from training.detection import Network, detect
from training.fold import BUNDLED, WEIGHTS, fold
from training.progress import Progress
from training.quantise import quantise_classifier, quantise_detector
from training.teachers import open_session

THRESHOLD = 0.4
SMALLEST_SHARE = 0.005
VEHICLES_OPENIMAGES = [datasets.LABELS.index(n) for n in datasets.VEHICLES_OPENIMAGES_LABELS]


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers and labels of one set of pictures."""

    found: list[Found]
    truth: list[Truth]


def runner(session: onnxruntime.InferenceSession) -> Network:
    """The session as a function from images to rows."""
    return lambda images: np.asarray(session.run(None, {"images": images})[0])


def measure(network: Network, examples: list[datasets.Example]) -> Measured:
    """Run the detector on every picture, at a threshold low enough for average precision."""
    found, progress = [], Progress(len(examples))
    for done, example in enumerate(examples, 1):
        found.append(detect(network, datasets.read_picture(example.path)))
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


def coco_start(path: Path) -> Network:
    """YOLOX-nano as published, its COCO classes put in the places of `LABELS`."""
    session = open_session(path)
    ids = {name: index for index, name in datasets.COCO_IDS.items()}

    def run(images: np.ndarray) -> np.ndarray:
        rows = session.run(None, {"images": images})[0]
        kinds = [
            rows[..., 5 + ids[name]] if name in ids else np.zeros_like(rows[..., 0])
            for name in datasets.LABELS
        ]
        return np.concatenate([rows[..., :5], np.stack(kinds, -1)], -1)

    return run


def detector_scores(network: Network, data: Path) -> dict[str, Any]:
    """Precision on vehicles_openimages valid and on coco128 (which was trained on)."""
    valid, coco = datasets.vehicles_openimages(data, "valid"), datasets.coco128(data)
    classes = precision_table(measure(network, valid), VEHICLES_OPENIMAGES)
    four = [row["ap50"] for name, row in classes.items() if name != "ambulance"]
    coco_ids = [datasets.LABELS.index(name) for name in datasets.COCO_IDS.values()]
    return {
        "pictures": len(valid),
        "map50_four": round(float(np.mean(four)), 3),
        "map50_five": round(float(np.mean([row["ap50"] for row in classes.values()])), 3),
        "classes": classes,
        "coco128": precision_table(measure(network, coco), coco_ids),
    }


def evaluate_detector(weights: Path, data: Path, models: Path) -> dict[str, Any]:
    """Every number of the detector's card, by version."""
    plain = weights / "vehicle_detector.onnx"
    start = models / "yolox_nano" / "yolox_nano.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        folded, small = Path(scratch) / "float.onnx", Path(scratch) / "int8.onnx"
        fold(plain, folded)
        quantise_detector(plain, small, data)
        versions = {
            "float": detector_scores(runner(open_session(folded)), data),
            "int8": detector_scores(runner(open_session(small)), data),
        }
        versions["float"]["bytes"] = folded.stat().st_size
        versions["int8"]["bytes"] = small.stat().st_size
    if start.exists():
        versions["coco_start"] = detector_scores(coco_start(start), data)
    return versions


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


def classifier_scores(path: Path, data: Path) -> dict[str, Any]:
    """Accuracy of the classifier file at `path`, the weakest source first."""
    session = open_session(path)
    photos = labelled_photo_crops(datasets.vehicles_openimages(data, "valid"))
    coco = [e for e in datasets.coco128(data) if datasets.is_held_out(e.key)]
    camera = [crop for crop in vehicle6(data) if datasets.is_held_out(crop.group)]
    sources = {
        "coco128 held out": labelled_photo_crops(coco),
        "vehicles_openimages valid": photos,
        "its boxes above 0.5 % of the picture": [
            crop for crop in photos if _visible(crop, 416 * 416)
        ],
        "vehicle6 held out": camera,
    }
    tables = {source: accuracy_table(session, crops) for source, crops in sources.items()}
    return {"bytes": path.stat().st_size, "sources": tables}


def evaluate_classifier(weights: Path, data: Path, _models: Path) -> dict[str, Any]:
    """Every number of the classifier's card, by version."""
    plain = weights / "vehicle_classifier.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        folded, small = Path(scratch) / "float.onnx", Path(scratch) / "int8.onnx"
        fold(plain, folded)
        quantise_classifier(plain, small, data)
        return {"float": classifier_scores(folded, data), "int8": classifier_scores(small, data)}


def main() -> None:
    """Measure the models asked for, both by default, and write metrics and tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="detector, classifier; both by default")
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--pretrained", type=Path, default=datasets.DEFAULT_MODELS)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--bundled", type=Path, default=BUNDLED)
    options = parser.parse_args()
    evaluators = {"detector": evaluate_detector, "classifier": evaluate_classifier}
    for name in options.models or evaluators:
        folder = options.bundled / f"vehicle_{name}"
        metrics = evaluators[name](options.weights, options.data, options.pretrained)
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
        cards.update(folder)
        print(f"wrote {folder}/metrics.json and the tables of its MODEL_CARD.md")


if __name__ == "__main__":
    main()
