"""Complete the labels of a picture with what the teachers see.

People drew boxes of one class per picture in vehicles_openimages, and untyped vehicles in
license_plates. Their boxes always win; a teacher's box is

- dropped where it lies on a human box, or where people labelled this very class (they drew all
  of it, so what they left out is taken as absent);
- a positive with the teacher's own score as objectness target where it is sure, or half sure and
  seconded by the crossroad teacher;
- an ignored region otherwise: the network is neither praised nor punished there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.boxes import FloatArray, area, intersection, iou
from training.datasets import LABELS, UNTYPED_VEHICLE, Example
from training.teachers import Found

SURE = 0.5
SECONDED = 0.3
WORTH_IGNORING = 0.15
CROSSROAD_SURE = 0.5
SAME_OBJECT = 0.5
MOSTLY_INSIDE = 0.8
VEHICLE_IDS = [LABELS.index(name) for name in ("car", "motorcycle", "bus", "truck")]


@dataclass(frozen=True, slots=True)
class Target:
    """Expected detections of one picture.

    `boxes_xyxy` (N, 4) in pixels, `kinds` (N, 7) class shares summing to 1, `objectness` (N,)
    0..1, `ignored_xyxy` (M, 4) regions without an opinion.
    """

    boxes_xyxy: FloatArray
    kinds: FloatArray
    objectness: FloatArray
    ignored_xyxy: FloatArray


def _stack(rows: list[FloatArray], width: int) -> FloatArray:
    return np.array(rows, np.float32).reshape(-1, width)


def merged_views(*views: Found) -> tuple[FloatArray, FloatArray]:
    """One box per object from several looks of a teacher at the same picture.

    Returns boxes (n, 4) and the mean score of every class over the looks (n, 7).
    """
    rows = [
        (np.array(row[:4], np.float32), LABELS.index(name), row[4], look)
        for look, view in enumerate(views)
        for name, found in view.items()
        for row in found
    ]
    rows.sort(key=lambda row: -row[2])
    boxes: list[FloatArray] = []
    scores: list[FloatArray] = []
    for box, kind, score, look in rows:
        overlaps = iou(box[None], _stack(boxes, 4))[0]
        if len(boxes) == 0 or overlaps.max() < SAME_OBJECT:
            boxes.append(box)
            scores.append(np.zeros((len(views), len(LABELS)), np.float32))
            place = len(boxes) - 1
        else:
            place = int(overlaps.argmax())
        scores[place][look, kind] = max(scores[place][look, kind], score)
    if not boxes:
        return _stack([], 4), _stack([], len(LABELS))
    return _stack(boxes, 4), np.stack(scores).mean(1)


def _confirmed(boxes: FloatArray, crossroad: Found) -> np.ndarray:
    rows = [row[:4] for found in crossroad.values() for row in found if row[4] >= CROSSROAD_SURE]
    if not rows or not len(boxes):
        return np.zeros(len(boxes), bool)
    return np.asarray(iou(boxes, np.array(rows, np.float32)).max(1) >= SAME_OBJECT)


def _human(example: Example, boxes: FloatArray, scores: FloatArray) -> Target:
    kept, kinds, ignored = [], [], []
    overlaps = iou(example.boxes_xyxy, boxes)
    for box, kind, overlap in zip(example.boxes_xyxy, example.classes, overlaps, strict=True):
        share = np.zeros(len(LABELS), np.float32)
        if kind != UNTYPED_VEHICLE:
            share[kind] = 1
        elif overlap.size and overlap.max() >= SAME_OBJECT:
            share[VEHICLE_IDS] = scores[overlap.argmax(), VEHICLE_IDS]
        if share.sum() < WORTH_IGNORING:
            ignored.append(box)
            continue
        kept.append(box)
        kinds.append(share / share.sum())
    return Target(
        _stack(kept, 4),
        _stack(kinds, len(LABELS)),
        np.ones(len(kept), np.float32),
        _stack(ignored, 4),
    )


def complete(example: Example, answers: dict[str, Found]) -> Target:
    """The picture's human labels and what the teachers add to them."""
    boxes, scores = merged_views(answers["picodet"], answers["picodet_mirrored"])
    human = _human(example, boxes, scores)
    if example.complete:
        return human
    best, kinds = scores.max(1), scores.argmax(1)
    seconded = _confirmed(boxes, answers["crossroad"])
    drawn = example.boxes_xyxy
    shared = intersection(boxes, drawn)
    on_drawn = (iou(boxes, drawn) >= SAME_OBJECT).any(1)
    inside = (shared >= MOSTLY_INSIDE * area(boxes)[:, None]).any(1)
    known = np.isin(kinds, example.classes)
    sure = (best >= SURE) | (seconded & (best >= SECONDED))
    added = sure & ~on_drawn & ~known & ~(inside & np.isin(kinds, VEHICLE_IDS))
    unsure = (best >= WORTH_IGNORING) & ~on_drawn & ~known & ~added
    far = [row[:4] for row in answers["crossroad"]["vehicle"] if row[4] >= CROSSROAD_SURE]
    far_boxes = _stack([np.array(row, np.float32) for row in far], 4)
    seen = np.concatenate([drawn, boxes[added]])
    cars_are_drawn = LABELS.index("car") in example.classes
    lonely = ~((iou(far_boxes, seen) >= SAME_OBJECT).any(1) | cars_are_drawn)
    shares = scores[added] / scores[added].sum(1, keepdims=True)
    return Target(
        np.concatenate([human.boxes_xyxy, boxes[added]]),
        np.concatenate([human.kinds, shares]).astype(np.float32),
        np.concatenate([human.objectness, best[added]]).astype(np.float32),
        np.concatenate([human.ignored_xyxy, boxes[unsure], far_boxes[lonely]]),
    )
