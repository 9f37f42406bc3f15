"""Notice settings of a manifest that contradict what its model finds.

A hint is no proof: it never changes the exit code of `check`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.class_outputs import ClassOutput
from inference.classification import Classifier
from inference.detection import Detector
from inference.geometry import iou
from scripts.models.agreement import MIN_AREA_SHARE, find
from scripts.models.labels import known_lists
from scripts.models.naming import EMBEDDED, Named, naming_hint, order_hint
from scripts.models.pictures import Crop, Picture
from scripts.models.product import classify, detections
from scripts.models.truths import colour_of

MIN_CONFIDENCE = 0.25
MIN_NAMED = 0.4
"""Confidence of objects whose names are compared."""
SAME_OBJECT = 0.8
"""IoU of two boxes of one object that suppression should have merged."""
MAX_DUPLICATES = 0.2
"""Share of objects that may have a second box."""
SAME_PLACE = 0.6
MIN_REACHED = 0.02
"""Share of the crops that must reach the threshold of an output."""
LABELLED = "The pictures' labels have"
USUAL_NMS_IOU = 0.2
"""A lower `nms_iou` drops neighbours that hardly overlap."""


def detector_hints(detector: Detector, finder: Detector, pictures: Sequence[Picture]) -> list[str]:
    """Return hints on a detector's suppression and labels.

    Args:
        detector: The model to check.
        finder: The embedded detector, whose names are right.
        pictures: The pictures.
    """
    hints = []
    objects = duplicates = 0
    named: dict[str, list[Named]] = {LABELLED: [], EMBEDDED: []}
    positions = {name: position for position, name in enumerate(detector.task.labels)}
    for picture in pictures:
        found = find(detector, picture.image_rgb, MIN_CONFIDENCE, MIN_AREA_SHARE)
        boxes, names = found.boxes_xyxy, found.names
        same = (iou(boxes[:, np.newaxis], boxes) > SAME_OBJECT) & (names[:, np.newaxis] == names)
        objects += len(names)
        duplicates += int((same.sum(axis=1) > 1).sum()) // 2
        for source, seen, box_xyxy in _others(finder, picture):
            overlaps = iou(np.array(box_xyxy, np.float32), boxes)
            best = int(overlaps.argmax()) if len(overlaps) else -1
            if best >= 0 and overlaps[best] >= SAME_PLACE:
                named[source].append((seen, positions[str(names[best])]))
    if duplicates > MAX_DUPLICATES * objects:
        hints.append(
            f"{duplicates} of {objects} objects have a second box in the same place: "
            "lower output.nms_iou, or check output.format"
        )
    threshold = getattr(detector.task.head, "nms_iou", None)
    if threshold is not None and threshold < USUAL_NMS_IOU:
        hints.append(
            f"output.nms_iou is {threshold:g}: of neighbours that overlap by more than that, only "
            "one is kept. Usual values are 0.45 to 0.7"
        )
    labels = detector.task.labels
    naming = (naming_hint(each, labels, source) for source, each in named.items())
    hint = order_hint(labels, known_lists().values()) or next(filter(None, naming), None)
    return [*hints, hint] if hint else hints


def _others(finder: Detector, picture: Picture) -> list[tuple[str, str, tuple[float, ...]]]:
    """Return source, name and box of the true objects, and of the embedded detector's."""
    found = detections(finder, picture.image_rgb, MIN_NAMED, MIN_AREA_SHARE)
    return [
        *((LABELLED, name.lower(), box) for name, box in picture.boxes or ()),
        *((EMBEDDED, each.class_name, each.box_xyxy) for each in found),
    ]


def classifier_hints(classifier: Classifier, crops: Sequence[Crop]) -> list[str]:
    """Return hints on the thresholds and labels of a classifier's outputs.

    Args:
        classifier: The model to check.
        crops: What it is checked with.

    Returns:
        The hints; none without crops.
    """
    if not crops:
        return []
    hints = []
    answers = classify(classifier, [each.image_rgb for each in crops], 1)
    sources = (
        ("The pictures' folder is that of", [each.folder for each in crops]),
        ("The labels or the embedded detector see", [each.class_name for each in crops]),
        ("Pixels show", [colour_of(each.image_rgb) for each in crops]),
    )
    for output in classifier.task.outputs:
        best = [answer[output.name] for answer in answers]
        highest = np.array([each.probabilities[0] for each in best])
        # Only rounding reaches 1.
        if output.threshold >= 1 or (highest >= output.threshold).mean() < MIN_REACHED:
            hints.append(
                f"output {output.name} hardly ever reaches its threshold of {output.threshold:g}: "
                f"half of the highest probabilities are below {np.median(highest):.2f}. "
                "Lower the threshold"
            )
        order = order_hint(output.labels, known_lists().values())
        naming = (
            naming_hint(_named(output, [each.names[0] for each in best], names), output.labels, who)
            for who, names in sources
        )
        if hint := order or next(filter(None, naming), None):
            hints.append(f"output {output.name}: {hint}")
    return hints


def _named(output: ClassOutput, names: Sequence[str], others: Sequence[str]) -> list[Named]:
    positions = {name: position for position, name in enumerate(output.labels)}
    return [
        (other.lower(), positions[name]) for other, name in zip(others, names, strict=True) if other
    ]
