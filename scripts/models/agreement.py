"""Measure how consistently a model answers views of the same pictures.

Confidence is no evidence: a model whose input is too large is saturated, and confident about noise.
But what it sees in a picture differs from what it sees in the mirror image, while a model with the
input of its training finds the same objects in both. The same idea compares classifiers: views of
one crop must get the same class, and other crops other classes (mutual information; Bridle et al.
1991, "Unsupervised classifiers, mutual information and phantom targets").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from inference.classification import Classifier
from inference.detection import Detector
from inference.geometry import iou
from inference.types import ImageRGB
from scripts.models.product import classify, detections
from scripts.models.truths import Truth
from scripts.models.views import VIEWS, Boxes, View

Scores = NDArray[np.float64]
"""One value per picture or crop; larger is better."""

MIN_CONFIDENCE = 0.25
FLOOR = 0.1
"""Confidence of an object that is not found: detections are collected from here."""
LOWEST = 0.03
"""Confidence of the objects that count for the precision on labelled pictures."""
MIN_AREA_SHARE = 0.005
MIN_IOU = 0.5
EPSILON = 1e-12
SMOOTHING = 1e-3


@dataclass(frozen=True, slots=True)
class Found:
    """The objects of one view, with boxes in pixels of the picture.

    Attributes:
        boxes_xyxy: float32 [n, 4].
        names: Class names [n].
        confidences: float64 [n].
    """

    boxes_xyxy: Boxes
    names: NDArray[np.str_]
    confidences: Scores

    def above(self, confidence: float) -> Found:
        """Return the objects of at least that confidence."""
        kept = self.confidences >= confidence
        return Found(self.boxes_xyxy[kept], self.names[kept], self.confidences[kept])


def find_in_views(detector: Detector, images_rgb: Sequence[ImageRGB]) -> list[list[Found]]:
    """Return the objects of every view of every picture."""
    return [[_found(detector, view, image) for view in VIEWS] for image in images_rgb]


def _found(detector: Detector, view: View, picture_rgb: ImageRGB) -> Found:
    image_rgb = view.transform(picture_rgb)
    height, width = image_rgb.shape[:2]
    found = find(detector, image_rgb, FLOOR, MIN_AREA_SHARE)
    return replace(found, boxes_xyxy=view.restore(found.boxes_xyxy, width, height))


def find(
    detector: Detector,
    image_rgb: ImageRGB,
    threshold: float = LOWEST,
    min_area_share: float = 0,
) -> Found:
    """Return the objects of a picture, highest confidence first."""
    found = detections(detector, image_rgb, threshold, min_area_share)
    return Found(
        np.array([each.box_xyxy for each in found], np.float32).reshape(-1, 4),
        np.array([each.class_name for each in found], np.str_),
        np.array([each.confidence for each in found], np.float64),
    )


def detector_scores(found: Sequence[Sequence[Found]]) -> Scores:
    """Return the agreed confidence of each picture times the share that is agreed.

    The agreed confidence of two views is the sum over matching objects of IoU times the lower
    confidence.
    """
    scores = []
    for views in found:
        first, *others = (each.above(MIN_CONFIDENCE) for each in views)
        agreed = total = 0.0
        for other in others:
            total += (first.confidences.sum() + other.confidences.sum()) / 2
            for i, j, overlap in matches(first, other):
                agreed += overlap * min(first.confidences[i], other.confidences[j])
        scores.append(agreed**2 / max(total, EPSILON) / len(others))
    return np.array(scores)


def confidence_gains(own: Sequence[Sequence[Found]], other: Sequence[Sequence[Found]]) -> Scores:
    """Return for each object how much more confident `other` is, in every view.

    This is fair only between inputs of the same range, such as another order of the colours.
    """
    gains: list[float] = []
    for a, b in zip(_views(own), _views(other), strict=True):
        pairs = list(matches(a, b))
        gains += [b.confidences[j] - a.confidences[i] for i, j, _ in pairs]
        left = np.delete(a.confidences, [i for i, _, _ in pairs])
        right = np.delete(b.confidences, [j for _, j, _ in pairs])
        gains += list(FLOOR - left[left >= MIN_CONFIDENCE])
        gains += list(right[right >= MIN_CONFIDENCE] - FLOOR)
    return np.array(gains)


def _views(found: Sequence[Sequence[Found]]) -> Iterator[Found]:
    return (view for views in found for view in views)


def matches(a: Found, b: Found) -> Iterator[tuple[int, int, float]]:
    """Pair objects of the same class, highest IoU first, each at most once."""
    overlaps = iou(a.boxes_xyxy[:, np.newaxis], b.boxes_xyxy) * (a.names[:, np.newaxis] == b.names)
    while overlaps.size and overlaps.max() >= MIN_IOU:
        i, j = (int(position) for position in np.unravel_index(overlaps.argmax(), overlaps.shape))
        yield i, j, float(overlaps[i, j])
        overlaps[i, :] = overlaps[:, j] = 0


def classifier_views(classifier: Classifier, crops_rgb: Sequence[ImageRGB]) -> dict[str, Scores]:
    """Return the probabilities [views, crops, classes] by output, in the order of its labels.

    The sums over the classes are 1.
    """
    most = max(len(output.labels) for output in classifier.task.outputs)
    views = [
        classify(classifier, [view.transform(crop) for crop in crops_rgb], most) for view in VIEWS
    ]
    found = {}
    for output in classifier.task.outputs:
        # Lists of labels can have a name twice, as ImageNet's does: it counts once.
        column = {label: position for position, label in enumerate(output.labels)}
        rows = np.zeros((len(views), len(crops_rgb), len(output.labels)))
        for row, view in zip(rows, views, strict=True):
            for values, answer in zip(row, view, strict=True):
                best = answer[output.name]
                np.add.at(values, [column[name] for name in best.names], best.probabilities)
        found[output.name] = rows / np.maximum(rows.sum(axis=2, keepdims=True), EPSILON)
    return found


def label_scores(views: Scores, labels: Sequence[str], truths: Sequence[Truth]) -> Scores:
    """Return the root of the true labels' probability together, of each crop whose are known.

    The root (Hellinger's affinity) counts a few sure answers less than many fair ones: a saturated
    input has the former, whether they are right or wrong.
    """
    known = np.array([bool(truth) for truth in truths])
    is_true = np.array([[label in truth for label in labels] for truth in truths])
    probabilities = (views.mean(axis=0) * is_true).sum(axis=1)[known]
    return np.asarray(np.sqrt(probabilities))


def view_scores(views: Scores) -> Scores:
    """Return for each crop how much more its views agree than chance, as a mean log ratio."""
    prior = views.mean(axis=(0, 1)) + SMOOTHING / views.shape[2]
    ratios = [
        (views[a] * views[b] / prior).sum(axis=1) for a, b in combinations(range(len(views)), 2)
    ]
    return np.asarray(np.log(np.stack(ratios) + SMOOTHING).mean(axis=0))
