"""Average precision of one class with 101-point interpolation, as COCO has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.boxes import FloatArray, IntArray, iou


@dataclass(frozen=True, slots=True)
class Found:
    """Detections in one picture: boxes (n, 4) in pixels, scores (n,), classes (n,)."""

    boxes_xyxy: FloatArray
    scores: FloatArray
    classes: IntArray


@dataclass(frozen=True, slots=True)
class Truth:
    """Labelled objects of one picture: boxes (n, 4) in pixels, classes (n,)."""

    boxes_xyxy: FloatArray
    classes: IntArray


def _hits(found: Found, truth: Truth, kind: int, threshold: float) -> list[tuple[float, bool]]:
    """Score and success of every detection of `kind`; each labelled box is found once."""
    goals = truth.boxes_xyxy[truth.classes == kind]
    chosen = np.flatnonzero(found.classes == kind)
    chosen = chosen[np.argsort(-found.scores[chosen], kind="stable")]
    overlaps = iou(found.boxes_xyxy[chosen], goals)
    free = np.ones(len(goals), bool)
    rows = []
    for index, overlap in zip(chosen, overlaps, strict=True):
        reachable = np.where(free, overlap, -1)
        hit = len(goals) > 0 and bool(reachable.max() >= threshold)
        if hit:
            free[reachable.argmax()] = False
        rows.append((float(found.scores[index]), hit))
    return rows


def average_precision(
    found: list[Found], truth: list[Truth], kind: int, threshold: float = 0.5
) -> float:
    """AP of class `kind` over all pictures, 0..1; nan where no picture has such an object."""
    total = sum(int((labels.classes == kind).sum()) for labels in truth)
    if total == 0:
        return float("nan")
    rows = [
        row
        for answers, labels in zip(found, truth, strict=True)
        for row in _hits(answers, labels, kind, threshold)
    ]
    rows.sort(key=lambda row: -row[0])
    hits = np.array([hit for _, hit in rows], bool)
    recall = np.cumsum(hits) / total
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    precision = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(precision[np.searchsorted(recall, np.linspace(0, 1, 101))].mean())


def rates(
    found: list[Found], truth: list[Truth], kind: int, score: float, threshold: float = 0.5
) -> tuple[float, float]:
    """Precision and recall of class `kind` when detections below `score` are left out."""
    total = sum(int((labels.classes == kind).sum()) for labels in truth)
    rows = [
        hit
        for answers, labels in zip(found, truth, strict=True)
        for value, hit in _hits(answers, labels, kind, threshold)
        if value >= score
    ]
    hits = sum(rows)
    return hits / max(len(rows), 1), hits / max(total, 1)
