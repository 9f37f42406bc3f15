"""Compare two ways of preprocessing by the true boxes of labelled pictures.

The measure is COCO's average precision (Lin et al. 2014) over all classes together: a class of few
objects would add more noise than evidence. Its error is found by leaving out one picture at a time
(Tukey's jackknife), because precision is no mean of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.geometry import iou
from scripts.models.agreement import Found
from scripts.models.labelled import NamedBox

Flags = NDArray[np.bool_]

IOUS = np.arange(0.5, 0.96, 0.05)
"""IoU that a right box has at least; the precision is the mean over these."""
EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Judged:
    """The objects that were found in one picture, compared with the true ones.

    Attributes:
        confidences: float64 [n], highest first.
        is_right: [n, len(IOUS)].
        total: Number of true objects.
    """

    confidences: NDArray[np.float64]
    is_right: Flags
    total: int


def judged(
    found: Found, truths: Sequence[NamedBox], meanings: Mapping[str, frozenset[str]]
) -> Judged:
    """Match found and true objects of the same class, each at most once, the surest first.

    Args:
        found: Objects of one picture, highest confidence first.
        truths: True objects.
        meanings: The model's labels that mean a true class, by its lower-case name. Classes that
            only one side knows do not count.
    """
    truths = [each for each in truths if meanings.get(each[0].lower())]
    known = frozenset().union(*meanings.values())
    kept = np.array([name in known for name in found.names], bool)
    names, boxes = found.names[kept], found.boxes_xyxy[kept]
    true_boxes = np.array([box for _, box in truths], np.float32).reshape(-1, 4)
    right = np.zeros((len(names), len(IOUS)), bool)
    if len(truths) and len(names):
        is_class = [[name in meanings[truth.lower()] for truth, _ in truths] for name in names]
        overlaps = iou(boxes[:, np.newaxis], true_boxes) * np.array(is_class)
        free = np.ones((len(IOUS), len(truths)), bool)
        levels = np.arange(len(IOUS))
        for position, row in enumerate(overlaps):
            best = (row * free).argmax(axis=1)
            right[position] = (row[best] >= IOUS) & free[levels, best]
            free[levels[right[position]], best[right[position]]] = False
    return Judged(found.confidences[kept], right, len(truths))


def precision_gain(own: Sequence[Judged], other: Sequence[Judged]) -> tuple[float, float, float]:
    """Return the average precision of both, 0..1, and the gain of `other` in standard errors."""
    before, after = _Pooled.of(own), _Pooled.of(other)
    everything = np.ones(len(own))
    values = before.precision(everything), after.precision(everything)
    gains = []
    for position in range(len(own)):
        others = everything.copy()
        others[position] = 0
        gains.append(after.precision(others) - before.precision(others))
    spread = float(np.square(np.array(gains) - np.mean(gains)).sum())
    error = np.sqrt(spread * (len(own) - 1) / len(own))
    return *values, (values[1] - values[0]) / max(error, EPSILON)


@dataclass(frozen=True, slots=True)
class _Pooled:
    """The objects of all pictures, highest confidence first."""

    pictures: NDArray[np.intp]
    is_right: NDArray[np.float64]
    totals: NDArray[np.float64]

    @classmethod
    def of(cls, pictures: Sequence[Judged]) -> _Pooled:
        order = np.argsort(-np.concatenate([each.confidences for each in pictures]), kind="stable")
        owners = np.repeat(np.arange(len(pictures)), [len(each.confidences) for each in pictures])
        right = np.concatenate([each.is_right for each in pictures]).astype(np.float64)
        totals = np.array([each.total for each in pictures], np.float64)
        return cls(owners[order], right[order], totals)

    def precision(self, weights: NDArray[np.float64]) -> float:
        """Return the area under the precision-recall curve, with a weight per picture."""
        total = float((weights * self.totals).sum())
        if not len(self.pictures) or not total:
            return 0.0
        each = weights[self.pictures][:, np.newaxis]
        right = np.cumsum(self.is_right * each, axis=0)
        precisions = right / np.maximum(np.cumsum(each, axis=0), EPSILON)
        highest = np.maximum.accumulate(precisions[::-1], axis=0)[::-1]
        steps = np.diff(right / total, axis=0, prepend=0)
        return float((steps * highest).sum(axis=0).mean())
