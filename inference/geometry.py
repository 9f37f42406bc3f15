"""Overlap of boxes and non-maximum suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""float32 [n, 4], corners x1, y1, x2, y2."""

MAX_CANDIDATES = 1000
"""Boxes that suppression considers, highest scores first: real images have fewer objects."""


def iou_one_to_many(box_xyxy: NDArray[np.float32], boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the intersection over union of one box with each of many, 0..1.

    Args:
        box_xyxy: float [4].
        boxes_xyxy: float [n, 4].

    Returns:
        float32 [n]; 0 where both boxes are empty.
    """
    top_left = np.maximum(box_xyxy[:2], boxes_xyxy[:, :2])
    bottom_right = np.minimum(box_xyxy[2:], boxes_xyxy[:, 2:])
    intersection = _areas(np.concatenate([top_left, bottom_right], axis=1))
    union = _areas(box_xyxy[np.newaxis]) + _areas(boxes_xyxy) - intersection
    iou = np.zeros(len(boxes_xyxy), dtype=np.float32)
    np.divide(intersection, union, out=iou, where=union > 0)
    return iou


def non_maximum_suppression(
    boxes_xyxy: Boxes,
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    max_iou: float,
) -> NDArray[np.int64]:
    """Suppress overlapping boxes of the same class; the box with the higher score is kept.

    Args:
        boxes_xyxy: float32 [n, 4].
        scores: float32 [n].
        class_ids: int64 [n].
        max_iou: IoU above which the box with the lower score is dropped, 0..1.

    Returns:
        int64 [kept], indexes of the kept boxes, highest score first.
    """
    order = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        overlaps = iou_one_to_many(boxes_xyxy[best], boxes_xyxy[rest]) > max_iou
        order = rest[~(overlaps & (class_ids[rest] == class_ids[best]))]
    return np.asarray(kept, dtype=np.int64)


def to_corners(boxes_cxcywh: NDArray[np.float32]) -> Boxes:
    """Convert boxes [n, 4] from center x, center y, width, height to corners, in the same unit."""
    centre, half_size = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:] / 2
    return np.concatenate([centre - half_size, centre + half_size], axis=1)


def _areas(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    width_height = np.clip(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0, None)
    return np.asarray(width_height[:, 0] * width_height[:, 1])
