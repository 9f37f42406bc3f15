"""Augmentation of detector pictures: placed at a random size, mirrored, recoloured, in mosaics."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

from training.boxes import FloatArray, area
from training.completion import Target

PAD = 114
SMALLEST_SIDE = 4.0
SMALLEST_VISIBLE = 0.3


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture (height, width, 3) uint8 BGR and its target in the same pixels."""

    picture_bgr: np.ndarray
    target: Target


def _moved(
    boxes: FloatArray, matrix: np.ndarray, canvas: FloatArray
) -> tuple[FloatArray, np.ndarray]:
    x = boxes[:, [0, 2]] * matrix[0, 0] + matrix[0, 2]
    y = boxes[:, [1, 3]] * matrix[1, 1] + matrix[1, 2]
    moved = np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], 1).astype(np.float32)
    before = area(moved)
    moved[:, [0, 2]] = moved[:, [0, 2]].clip(canvas[0], canvas[2])
    moved[:, [1, 3]] = moved[:, [1, 3]].clip(canvas[1], canvas[3])
    sides = moved[:, 2:] - moved[:, :2]
    visible = (sides.min(1) > SMALLEST_SIDE) & (area(moved) > SMALLEST_VISIBLE * before)
    return moved, visible


def move(target: Target, matrix: np.ndarray, canvas: FloatArray) -> Target:
    """The target after the affine `matrix`, cut to `canvas` (x1, y1, x2, y2).

    Objects with less than 0.3 of their area left are ignored.
    """
    boxes, visible = _moved(target.boxes_xyxy, matrix, canvas)
    ignored, _ = _moved(target.ignored_xyxy, matrix, canvas)
    lost = boxes[~visible]
    kept = np.concatenate([ignored, lost])
    return Target(
        boxes[visible],
        target.kinds[visible],
        target.objectness[visible],
        kept[(kept[:, 2:] - kept[:, :2]).min(1) > 1] if len(kept) else kept,
    )


def recolour(picture_bgr: np.ndarray, rng: random.Random) -> np.ndarray:
    """Saturation and brightness times 0.6 to 1.4, hue moved by up to 5 degrees."""
    hsv = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-2.5, 2.5)) % 180
    hsv[..., 1] *= rng.uniform(0.6, 1.4)
    hsv[..., 2] *= rng.uniform(0.6, 1.4)
    return cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR)


def _matrix(
    shape: tuple[int, ...], box: tuple[float, float, float, float], scale: float, rng: random.Random
) -> np.ndarray:
    height, width = shape[:2]
    x1, y1, x2, y2 = box
    fit = scale * min((x2 - x1) / width, (y2 - y1) / height)
    stretch = math.exp(rng.uniform(-0.3, 0.3))
    sx, sy = fit * math.sqrt(stretch), fit / math.sqrt(stretch)
    left = x1 + rng.uniform(min(0, x2 - x1 - width * sx), max(0, x2 - x1 - width * sx))
    top = y1 + rng.uniform(min(0, y2 - y1 - height * sy), max(0, y2 - y1 - height * sy))
    if rng.random() < 0.5:
        return np.array([[-sx, 0, left + width * sx], [0, sy, top]], np.float32)
    return np.array([[sx, 0, left], [0, sy, top]], np.float32)


def _warp(picture: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    return cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=(PAD, PAD, PAD)
    )


def alone(sample: Sample, side: int, rng: random.Random) -> Sample:
    """One picture at 0.6 to 1.4 times the size that fits the side."""
    canvas = (0.0, 0.0, float(side), float(side))
    matrix = _matrix(sample.picture_bgr.shape, canvas, math.exp(rng.uniform(-0.5, 0.35)), rng)
    picture = recolour(_warp(sample.picture_bgr, matrix, side), rng)
    return Sample(picture, move(sample.target, matrix, np.array(canvas, np.float32)))


def mosaic(samples: list[Sample], side: int, rng: random.Random) -> Sample:
    """Four pictures around a random centre (YOLOv4, arXiv 2004.10934)."""
    cx, cy = (side * rng.uniform(0.35, 0.65) for _ in range(2))
    corners = [(0.0, 0.0, cx, cy), (cx, 0.0, side, cy), (0.0, cy, cx, side), (cx, cy, side, side)]
    picture = np.full((side, side, 3), PAD, np.uint8)
    targets = []
    for sample, box in zip(samples, corners, strict=True):
        canvas: FloatArray = np.array(box, np.float32).round()
        x1, y1, x2, y2 = canvas.astype(int)
        matrix = _matrix(sample.picture_bgr.shape, box, math.exp(rng.uniform(-0.1, 0.6)), rng)
        picture[y1:y2, x1:x2] = _warp(sample.picture_bgr, matrix, side)[y1:y2, x1:x2]
        targets.append(move(sample.target, matrix, canvas))
    joined = Target(
        np.concatenate([target.boxes_xyxy for target in targets]),
        np.concatenate([target.kinds for target in targets]),
        np.concatenate([target.objectness for target in targets]),
        np.concatenate([target.ignored_xyxy for target in targets]),
    )
    return Sample(recolour(picture, rng), joined)
