"""Overlap of boxes and non-maximum suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""float32 [n, 4], corners x1, y1, x2, y2."""

MAX_CANDIDATES = 1000
"""Boxes that suppression considers, highest scores first: real images have fewer objects."""


def iou(first_xyxy: NDArray[np.float32], second_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of boxes, 0..1; 0 where both boxes are empty.

    Args:
        first_xyxy: float32 [..., 4].
        second_xyxy: float32 [..., 4], of a shape that broadcasts with the first one.

    Example:
        >>> iou(boxes_xyxy[:, np.newaxis], boxes_xyxy)  # Each of n boxes with each: [n, n].
    """
    top_left = np.maximum(first_xyxy[..., :2], second_xyxy[..., :2])
    bottom_right = np.minimum(first_xyxy[..., 2:], second_xyxy[..., 2:])
    intersection = _areas(top_left, bottom_right)
    first_areas = _areas(first_xyxy[..., :2], first_xyxy[..., 2:])
    union = first_areas + _areas(second_xyxy[..., :2], second_xyxy[..., 2:]) - intersection
    ratio = np.zeros_like(union)
    np.divide(intersection, union, out=ratio, where=union > 0)
    return ratio


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
    sorted_xyxy, sorted_ids = boxes_xyxy[order], class_ids[order]
    overlaps = iou(sorted_xyxy[:, np.newaxis], sorted_xyxy) > max_iou
    overlaps &= sorted_ids[:, np.newaxis] == sorted_ids
    is_kept = np.ones(len(order), dtype=bool)
    for best in range(len(order)):
        if is_kept[best]:
            is_kept[best + 1 :] &= ~overlaps[best, best + 1 :]
    return order[is_kept]


def to_corners(boxes_cxcywh: NDArray[np.float32]) -> Boxes:
    """Convert boxes [n, 4] from center x, center y, width, height to corners, in the same unit."""
    centre, half_size = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:] / 2
    return np.concatenate([centre - half_size, centre + half_size], axis=1)


def _areas(top_left: NDArray[np.float32], bottom_right: NDArray[np.float32]) -> NDArray[np.float32]:
    width_height = np.maximum(bottom_right - top_left, 0)
    return np.asarray(width_height[..., 0] * width_height[..., 1])
