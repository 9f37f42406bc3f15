"""Box arithmetic on NumPy arrays: IoU and greedy non-maximum suppression.

Boxes are float arrays of shape (N, 4) holding x1, y1, x2, y2 in pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


def area(boxes_xyxy: FloatArray) -> FloatArray:
    """Area of each box in square pixels, shape (N,)."""
    size = np.clip(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0, None)
    return (size[:, 0] * size[:, 1]).astype(np.float32)


def intersection(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Shared area of every pair, shape (len(a), len(b))."""
    top_left = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    bottom_right = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    size = np.clip(bottom_right - top_left, 0, None)
    return (size[..., 0] * size[..., 1]).astype(np.float32)


def iou(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Intersection over union of every pair, shape (len(a), len(b)), 0..1."""
    shared = intersection(a_xyxy, b_xyxy)
    union = area(a_xyxy)[:, None] + area(b_xyxy)[None, :] - shared
    return (shared / np.maximum(union, 1e-9)).astype(np.float32)


def nms(boxes_xyxy: FloatArray, scores: FloatArray, threshold: float) -> IntArray:
    """Indices of the boxes that survive greedy suppression, best score first.

    A box is dropped when its IoU with a better one exceeds `threshold`.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = iou(boxes_xyxy, boxes_xyxy)
    kept: list[int] = []
    for index in order:
        if not kept or overlaps[index, kept].max() <= threshold:
            kept.append(int(index))
    return np.array(kept, dtype=np.int64)


def nms_by_class(
    boxes_xyxy: FloatArray, scores: FloatArray, classes: IntArray, threshold: float
) -> IntArray:
    """Like `nms`, each class on its own; indices in descending order of score."""
    kept = [
        group[nms(boxes_xyxy[group], scores[group], threshold)]
        for name in np.unique(classes)
        for group in [np.flatnonzero(classes == name)]
    ]
    if not kept:
        return np.zeros(0, dtype=np.int64)
    joined = np.concatenate(kept)
    return joined[np.argsort(-scores[joined], kind="stable")]
