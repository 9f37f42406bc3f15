"""Measure time, size and accuracy of models on pictures with true answers."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.classification import Classifier
from inference.decoding.decode import decode
from inference.detection import Detector
from inference.geometry import iou
from inference.types import Detection, ImageRGB
from scripts.models.labelled import Labelled
from scripts.models.product import SETTINGS, classify, detections

MIN_CONFIDENCE = 0.01
MATCHING_IOU = 0.5
MAX_PICTURES = 500
MAX_NAMES = 3
"""Maximum number of class names in a message."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one model.

    Attributes:
        name: Name of the model.
        milliseconds: Median time per picture, without decoding the file.
        megabytes: Size of the file.
        accuracy: Mean average precision of a detector at an IoU of 0.5, or the share of a
            classifier's pictures whose first class is right, 0..1; NaN if they share no class.
        counted: What the accuracy is the mean of, or why there is none.
    """

    name: str
    milliseconds: float
    megabytes: float
    accuracy: float
    counted: str


def measure(model: Detector | Classifier, pictures: Sequence[Labelled]) -> Measured:
    """Run a model on labelled pictures."""
    times: list[float] = []
    answers: list[list[Detection] | tuple[str, ...]] = []
    for picture in pictures[:MAX_PICTURES]:
        image_rgb = decode(picture.path.read_bytes(), max_pixels=SETTINGS.max_pixels)
        start = time.perf_counter()
        answers.append(_answer(model, image_rgb))
        times.append(time.perf_counter() - start)
    if isinstance(model, Detector):
        found = [each for each in answers if isinstance(each, list)]
        accuracy, counted = mean_precision(found, pictures, model.task.labels)
    else:
        named = [each for each in answers if isinstance(each, tuple)]
        accuracy, counted = right_share(named, pictures, [o.labels for o in model.task.outputs])
    file = model.manifest.file
    return Measured(
        file.parent.name, float(np.median(times)) * 1000, file.stat().st_size / 1e6,
        accuracy, counted,
    )  # fmt: skip


def _answer(model: Detector | Classifier, image_rgb: ImageRGB) -> list[Detection] | tuple[str, ...]:
    """Return a detector's objects, or the first class of each of a classifier's outputs."""
    if isinstance(model, Detector):
        return detections(model, image_rgb, MIN_CONFIDENCE, 0)
    [answer] = classify(model, [image_rgb], 1)
    return tuple(each.names[0] for each in answer.values())


def right_share(
    answers: Sequence[Sequence[str]],
    pictures: Sequence[Labelled],
    labels_by_output: Sequence[Sequence[str]],
) -> tuple[float, str]:
    """Return the share of pictures whose first class is right, and what it counts.

    Classes are matched by name in lower case. The output that has most of the pictures' classes
    counts, and pictures of classes that it lacks do not.
    """
    folders = {each.label.lower() for each in pictures if each.label}
    labels = [{label.lower() for label in each} for each in labels_by_output]
    output = max(range(len(labels)), key=lambda position: len(labels[position] & folders))
    known = [
        (answer[output].lower(), each.label.lower())
        for answer, each in zip(answers, pictures, strict=False)
        if each.label.lower() in labels[output]
    ]
    if not known:
        return float("nan"), _nothing_shared(folders, labels_by_output[output])
    right = sum(answer == label for answer, label in known)
    return right / len(known), f"first class right, {len(known)} pictures"


def mean_precision(
    found: Sequence[Sequence[Detection]], pictures: Sequence[Labelled], labels: Sequence[str]
) -> tuple[float, str]:
    """Return the mean average precision at an IoU of 0.5, and what it counts.

    Classes are matched by name in lower case; those that the model or the pictures lack do not
    count.
    """
    true_names = {name.lower() for each in pictures for name, _ in each.boxes}
    shared = sorted(true_names & {label.lower() for label in labels})
    if not shared:
        return float("nan"), _nothing_shared(true_names, labels)
    precisions = [
        average_precision(*_matches(found, pictures[: len(found)], name)) for name in shared
    ]
    known = [each for each in precisions if not np.isnan(each)]
    return float(np.mean(known)), f"mAP 50, {len(known)} classes, {len(found)} pictures"


def _nothing_shared(true_names: Collection[str], labels: Sequence[str]) -> str:
    if not true_names:
        return "the pictures have boxes for detectors or folders for classifiers, but not both"
    return f"no class in common: {_some(sorted(true_names))} in the pictures, {_some(labels)} here"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_NAMES]) + (", ..." if len(names) > MAX_NAMES else "")


def _matches(
    found: Sequence[Sequence[Detection]], pictures: Sequence[Labelled], name: str
) -> tuple[list[tuple[float, bool]], int]:
    """Return (confidence, is right) of a class's detections, and its number of true objects."""
    judged: list[tuple[float, bool]] = []
    total = 0
    for answers, picture in zip(found, pictures, strict=True):
        truths = np.array([box for each, box in picture.boxes if each.lower() == name], np.float32)
        total += len(truths)
        taken: set[int] = set()
        for answer in (each for each in answers if each.class_name.lower() == name):
            overlaps = iou(np.array(answer.box_xyxy, np.float32), truths.reshape(-1, 4))
            best = int(overlaps.argmax()) if len(overlaps) else -1
            is_right = best >= 0 and overlaps[best] >= MATCHING_IOU and best not in taken
            if is_right:
                taken.add(best)
            judged.append((answer.confidence, is_right))
    return judged, total


def average_precision(judged: Sequence[tuple[float, bool]], total: int) -> float:
    """Return the area under the precision-recall curve; NaN without true objects."""
    if not total:
        return float("nan")
    order = sorted(judged, key=lambda each: -each[0])
    right = np.cumsum([is_right for _, is_right in order], dtype=np.float64)
    if not len(right):
        return 0.0
    recalls: NDArray[np.float64] = np.concatenate([[0], right / total])
    precisions = right / np.arange(1, len(right) + 1)
    highest = np.maximum.accumulate(precisions[::-1])[::-1]
    return float((np.diff(recalls) * highest).sum())


def table(measured: Sequence[Measured]) -> str:
    """Return a line per model."""
    lines = [f"{'model':28} {'ms':>8} {'MB':>8} {'accuracy':>9}"]
    lines += [
        f"{each.name:28} {each.milliseconds:8.1f} {each.megabytes:8.1f} {_number(each.accuracy)}  "
        f"{each.counted}"
        for each in measured
    ]
    return "\n".join(lines)


def _number(accuracy: float) -> str:
    return f"{'-':>9}" if np.isnan(accuracy) else f"{accuracy:9.3f}"
