"""Recognise TensorFlow's detectors, whose boxes are y1, x1, y2, x2."""

from __future__ import annotations

import re

import numpy as np

from scripts.models.formats import Format, Model, are_normalized, is_list, make_format
from scripts.models.guess_inputs import CHANNELS
from scripts.models.probe import Output

POST_PROCESS = "PostProcess"
UNNAMED = re.compile(
    "PostProcess|PartitionedCall|Identity|nmsed_|valid_detections|output_[0-9]|NonMax",
    re.IGNORECASE,
)
"""Names that TensorFlow's converters and its suppression give to outputs."""
AUTOML_COLUMNS = ("batch", "y1", "x1", "y2", "x2", "score", "class")
EXPORT_FINISHED = (
    "Export the model with its suppression: detection_boxes, detection_scores and "
    "detection_classes of TensorFlow, or the model after EfficientDet's post-processing"
)


def tensorflow(model: Model) -> Format | str | None:
    """TensorFlow's detection API, TFLite's post-processing, and EfficientDet's own export."""
    if (boxes := model.probe.named("detection_boxes")) is not None:
        return _detection_api(model, boxes)
    return _unnamed(model) or _automl(model)


def _detection_api(model: Model, boxes: Output) -> Format | str | None:
    if boxes.name.startswith("raw_"):
        return f"output {boxes.name} has boxes before suppression. {EXPORT_FINISHED}"
    classes, scores, count = (
        model.probe.named(part)
        for part in ("detection_classes", "detection_scores", "num_detections")
    )
    if classes is None or scores is None:
        return None
    reason = "outputs detection_boxes, ...: TensorFlow's object detection API"
    why = "TensorFlow's object detection API counts classes from 1"
    outputs = (boxes, classes, scores, count)
    has_pixels = _has_pixels(boxes)
    if has_pixels is None:
        has_pixels = model.probe.named("image_info") is not None
    return _ssd(reason, outputs, 1, why, has_pixels=has_pixels)


def _unnamed(model: Model) -> Format | None:
    """Four outputs without names of their own: boxes, classes, scores and a count."""
    outputs = model.probe.outputs
    if len(outputs) != 4 or not all(UNNAMED.search(each.name) for each in outputs):
        return None
    is_lite = any(POST_PROCESS in each.name for each in outputs)
    if not (is_lite or _has_last_colours(model)):
        return None
    boxes = next((each for each in outputs if is_list(each, 4)), None)
    count = next((each for each in outputs if each.values.size == 2), None)
    rest = [each for each in outputs if each not in (boxes, count)]
    if boxes is None or len(rest) != 2 or not all(is_list(each) for each in rest):
        return None
    classes = next((each for each in reversed(rest) if each.are_integers), rest[-1])
    # Empty lists look alike; TFLite has its classes before its scores.
    if all(each.are_integers for each in rest) and POST_PROCESS in outputs[0].name:
        classes = rest[0]
    scores = rest[1] if classes is rest[0] else rest[0]
    return _ssd(
        "four outputs of TensorFlow's suppression, or of TFLite_Detection_PostProcess",
        (boxes, classes, scores, count), 0, "it counts classes from 0",
        has_pixels=bool(_has_pixels(boxes)),
    )  # fmt: skip


def _has_pixels(boxes: Output) -> bool | None:
    """Return whether boxes are in pixels; None if nothing is found in the street."""
    return not are_normalized(boxes.rows()) if boxes.values.any() else None


def _has_last_colours(model: Model) -> bool:
    return any(len(p.shape) == 4 and p.shape[-1] == CHANNELS for p in model.graph.inputs)


def _ssd(
    reason: str,
    outputs: tuple[Output, Output, Output, Output | None],
    first_class: int,
    why: str,
    *,
    has_pixels: bool,
) -> Format:
    boxes, classes, scores, count = outputs
    return make_format(
        "ssd",
        "tensorflow",
        reason,
        None,
        ("boxes", boxes.name, "four columns"),
        ("classes", classes.name, "whole numbers"),
        ("scores", scores.name, "values of 0..1"),
        ("count", count.name if count else None, "a single value"),
        (
            "normalized",
            False if has_pixels else None,
            "TensorFlow Models has pixels",
        ),
        ("first_class", first_class, why),
    )


def _automl(model: Model) -> Format | None:
    """EfficientDet of Google's automl: picture, y1, x1, y2, x2, score, class from 1."""
    outputs = model.probe.outputs
    if len(outputs) != 1 or not _has_last_colours(model):
        return None
    if len(outputs[0].shape) != 3 or not is_list(outputs[0], len(AUTOML_COLUMNS)):
        return None
    rows = outputs[0].rows()
    scores, classes = rows[:, -2], rows[:, -1]
    if rows[:, 0].any() or scores.min() < 0 or scores.max() > 1:
        return None
    if not np.array_equal(classes, np.round(classes)) or not rows[:, 1:5].any():
        return None
    return make_format(
        "rows", "tensorflow", "rows of picture, y1, x1, y2, x2, score, class: EfficientDet", None,
        ("columns", list(AUTOML_COLUMNS), "EfficientDet of Google's automl"),
        ("normalized", are_normalized(rows[:, 1:5]) or None, "coordinates are in 0..1"),
        ("first_class", 1, "EfficientDet counts classes from 1"),
    )  # fmt: skip
