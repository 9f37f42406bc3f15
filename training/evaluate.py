"""Measure the committed models: `python -m training.evaluate [detector] [attributes]`.

Reads the float detector in `training/weights/` and what `models/<name>/` ships, makes the int8
detector again, and writes `models/<name>/metrics.json` and the tables of `MODEL_CARD.md`: every
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
from training.detection import Network, detect
from training.evaluate_attributes import scores as attribute_scores
from training.fold import BUNDLED, WEIGHTS, fold
from training.progress import Progress
from training.quantise import quantise_detector
from training.teachers import open_session

THRESHOLD = 0.4
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


def evaluate_attributes(_weights: Path, data: Path, models: Path) -> dict[str, Any]:
    """Return every number of the attributes' card."""
    shipped, detector = (
        BUNDLED / name / "model.onnx" for name in ("vehicle_attributes", "vehicle_detector")
    )
    return attribute_scores(shipped, detector, data, models)


def main() -> None:
    """Measure the models asked for, both by default, and write metrics and tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="detector, attributes; both by default")
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--pretrained", type=Path, default=datasets.DEFAULT_MODELS)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--bundled", type=Path, default=BUNDLED)
    options = parser.parse_args()
    evaluators = {"detector": evaluate_detector, "attributes": evaluate_attributes}
    for name in options.models or evaluators:
        folder = options.bundled / f"vehicle_{name}"
        metrics = evaluators[name](options.weights, options.data, options.pretrained)
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
        cards.update(folder)
        print(f"wrote {folder}/metrics.json and the tables of its MODEL_CARD.md")


if __name__ == "__main__":
    main()
