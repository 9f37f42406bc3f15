"""Detections in a picture, with the resizing and filtering of the deployed code."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from training.average_precision import Found
from training.boxes import FloatArray, nms_by_class

SIDE = 416
STRIDES = (8, 16, 32)
PAD = 114
NMS_IOU = 0.5
LARGEST_EXPONENT = 8.0

Network = Callable[[np.ndarray], np.ndarray]
"""Images (1, 3, SIDE, SIDE) float32 BGR 0..255 -> (1, cells, 5 + classes), probabilities."""


def letterbox(picture_bgr: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture in the top left of a padded square, and the factor it was scaled by."""
    height, width = picture_bgr.shape[:2]
    scale = min(SIDE / width, SIDE / height)
    canvas = np.full((SIDE, SIDE, 3), PAD, np.uint8)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[: size[1], : size[0]] = (
        picture_bgr if scale == 1 else cv2.resize(picture_bgr, size, interpolation=way)
    )
    return canvas, scale


def _grid() -> np.ndarray:
    rows = []
    for stride in STRIDES:
        y, x = np.mgrid[: SIDE // stride, : SIDE // stride]
        rows.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride)], 1))
    return np.concatenate(rows).astype(np.float32)


GRID = _grid()


def detect(network: Network, picture_bgr: np.ndarray, threshold: float = 0.01) -> Found:
    """Every object that scores at least `threshold`, each cell giving its best class."""
    canvas, scale = letterbox(picture_bgr)
    tensor = canvas.transpose(2, 0, 1)[None].astype(np.float32)
    rows = network(tensor)[0]
    scores = rows[:, 4:5] * rows[:, 5:]
    kinds, best = scores.argmax(1), scores.max(1)
    strong = np.flatnonzero(best >= threshold)
    rows, grid = rows[strong], GRID[strong]
    centre = (rows[:, :2] + grid[:, :2]) * grid[:, 2:]
    half = np.exp(rows[:, 2:4].clip(max=LARGEST_EXPONENT)) * grid[:, 2:] / 2
    boxes = np.concatenate([centre - half, centre + half], 1) / scale
    height, width = picture_bgr.shape[:2]
    boxes_xyxy: FloatArray = boxes.clip(0, [width, height, width, height]).astype(np.float32)
    kept = nms_by_class(boxes_xyxy, best[strong], kinds[strong], NMS_IOU)
    return Found(boxes_xyxy[kept], best[strong][kept].astype(np.float32), kinds[strong][kept])
