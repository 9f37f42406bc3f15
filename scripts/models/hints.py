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
from inference.types import ImageRGB
from scripts.models.agreement import MIN_AREA_SHARE
from scripts.models.naming import Named, naming_hint
from scripts.models.product import classify, detections

MIN_CONFIDENCE = 0.25
MIN_NAMED = 0.4
"""Confidence of objects whose names are compared."""
SAME_OBJECT = 0.8
"""IoU of two boxes of one object that suppression should have merged."""
MAX_DUPLICATES = 0.2
"""Share of objects that may have a second box."""
SAME_PLACE = 0.6
USUAL_NMS_IOU = 0.2
"""A lower `nms_iou` drops neighbours that hardly overlap."""


def detector_hints(
    detector: Detector, finder: Detector, images_rgb: Sequence[ImageRGB]
) -> list[str]:
    """Return hints on a detector's suppression and labels.

    Args:
        detector: The model to check.
        finder: The embedded detector, whose names are right.
        images_rgb: The pictures.
    """
    hints = []
    objects = duplicates = 0
    named: list[Named] = []
    positions = {name: position for position, name in enumerate(detector.task.labels)}
    for image_rgb in images_rgb:
        found = detections(detector, image_rgb, MIN_CONFIDENCE, MIN_AREA_SHARE)
        boxes = np.array([each.box_xyxy for each in found], np.float32).reshape(-1, 4)
        names = np.array([each.class_name for each in found], np.str_)
        same = (iou(boxes[:, np.newaxis], boxes) > SAME_OBJECT) & (names[:, np.newaxis] == names)
        objects += len(found)
        duplicates += int((same.sum(axis=1) > 1).sum()) // 2
        for seen in detections(finder, image_rgb, MIN_NAMED, MIN_AREA_SHARE):
            overlaps = iou(np.array(seen.box_xyxy, np.float32), boxes)
            best = int(overlaps.argmax()) if len(overlaps) else -1
            if best >= 0 and overlaps[best] >= SAME_PLACE:
                named.append((seen.class_name, positions[found[best].class_name]))
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
    hint = naming_hint(named, detector.task.labels)
    return [*hints, hint] if hint else hints


def classifier_hints(
    classifier: Classifier, crops_rgb: Sequence[ImageRGB], class_names: Sequence[str]
) -> list[str]:
    """Return hints on the thresholds and labels of a classifier's outputs.

    Args:
        classifier: The model to check.
        crops_rgb: Crops of vehicles.
        class_names: The embedded detector's class of each crop.

    Returns:
        The hints; none without crops.
    """
    if not crops_rgb:
        return []
    hints = []
    answers = classify(classifier, crops_rgb, 1)
    for output in classifier.task.outputs:
        best = [answer[output.name] for answer in answers]
        highest = max(each.probabilities[0] for each in best)
        if highest < output.threshold:
            hints.append(
                f"output {output.name} never reaches its threshold of {output.threshold:g}: the "
                f"highest probability is {highest:.2f}. Lower the threshold"
            )
        named = _named(output, [each.names[0] for each in best], class_names)
        if hint := naming_hint(named, output.labels):
            hints.append(f"output {output.name}: {hint}")
    return hints


def _named(output: ClassOutput, names: Sequence[str], class_names: Sequence[str]) -> list[Named]:
    positions = {name: position for position, name in enumerate(output.labels)}
    return [(seen, positions[name]) for seen, name in zip(class_names, names, strict=True)]
