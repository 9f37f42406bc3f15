"""Stronger detectors look at the training pictures, so that missing labels can be completed.

Teachers, both Apache-2.0 and read from `../shared/models`:

- picodet_s_416 (PaddleDetection, COCO): types of vehicles, persons, bicycles; seen twice, the
  second time mirrored.
- pvb_crossroad_0078 (Intel Open Model Zoo): person, vehicle, bike at 1024 pixels; finds far
  vehicles but does not type them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from training import datasets
from training.boxes import FloatArray, nms_by_class

SMALLEST_SCORE = 0.05
PVB_LABELS = {1: "person", 2: "vehicle", 3: "bicycle"}
PICODET_BINS = 8

Found = dict[str, list[list[float]]]


def open_session(path: Path, threads: int = 2) -> onnxruntime.InferenceSession:
    """An onnxruntime CPU session of the model at `path`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # picodet lists its weights as inputs: one warning each
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def decode_picodet(outputs: list[np.ndarray], side: int) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Boxes (n, 4) on the `side` x `side` input and scores (n, 80) of each of the four levels.

    A side of a box is the mean of a distribution over 8 distances (Generalized Focal Loss,
    arXiv 2006.04388), in units of the level's stride.
    """
    for scores, distances, stride in zip(outputs[:4], outputs[4:], (8, 16, 32, 64), strict=True):
        cells = int(np.ceil(side / stride))
        columns, rows = np.meshgrid(np.arange(cells), np.arange(cells))
        centre = np.stack([columns, rows], -1).reshape(-1, 2).astype(np.float32) * stride
        centre += 0.5 * stride
        logits = distances[0].reshape(-1, 4, PICODET_BINS)
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        reach = (weights * np.arange(PICODET_BINS)).sum(-1) * stride
        boxes = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], 1)
        yield boxes.astype(np.float32), scores[0]


class Picodet:
    """picodet_s_416 on one picture: rows of x1, y1, x2, y2, score by class name."""

    side = 416

    def __init__(self, models: Path) -> None:
        self._session = open_session(models / "picodet_s_416" / "picodet_s_416_coco.onnx")

    def __call__(self, picture_bgr: np.ndarray) -> Found:
        """Persons, bicycles and typed vehicles."""
        height, width = picture_bgr.shape[:2]
        mean = np.array([103.53, 116.28, 123.675], np.float32)
        std = np.array([57.375, 57.12, 58.395], np.float32)
        resized = cv2.resize(picture_bgr, (self.side, self.side), interpolation=cv2.INTER_AREA)
        tensor = ((resized - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
        levels = list(decode_picodet(self._session.run(None, {"image": tensor}), self.side))
        scale = np.array([width, height, width, height], np.float32) / self.side
        boxes = (np.concatenate([boxes for boxes, _ in levels]) * scale).astype(np.float32)
        scores = np.concatenate([scores for _, scores in levels])[:, list(datasets.COCO_IDS)]
        best, kind = scores.max(1), scores.argmax(1)
        strong = np.flatnonzero(best > SMALLEST_SCORE)
        kept = strong[nms_by_class(boxes[strong], best[strong], kind[strong], 0.6)]
        found: Found = {name: [] for name in datasets.COCO_IDS.values()}
        for index in kept:
            name = list(datasets.COCO_IDS.values())[kind[index]]
            found[name].append([*map(float, boxes[index]), float(best[index])])
        return found


class Crossroad:
    """pvb_crossroad_0078 on one picture: rows of x1, y1, x2, y2, score by class name."""

    side = 1024

    def __init__(self, models: Path) -> None:
        self._session = open_session(models / "pvb_crossroad_0078" / "pvb_crossroad_0078.onnx")

    def __call__(self, picture_bgr: np.ndarray) -> Found:
        """Persons, bicycles and vehicles without a type."""
        height, width = picture_bgr.shape[:2]
        resized = cv2.resize(picture_bgr, (self.side, self.side))
        tensor = resized.transpose(2, 0, 1)[None].astype(np.float32)
        outputs = dict(
            zip(
                [output.name for output in self._session.get_outputs()],
                self._session.run(None, {self._session.get_inputs()[0].name: tensor}),
                strict=True,
            )
        )
        boxes = outputs["boxes_xyxy"].reshape(-1, 4)
        # The model gives shares of the picture; larger values would mean pixels of its input.
        unit = 1.0 if boxes.size == 0 or boxes.max() <= 2 else float(self.side)
        boxes = boxes / unit * np.array([width, height, width, height], np.float32)
        found: Found = {name: [] for name in PVB_LABELS.values()}
        scores, kinds = outputs["scores"].reshape(-1), outputs["labels"].reshape(-1)
        for box, score, kind in zip(boxes, scores, kinds, strict=True):
            if score > SMALLEST_SCORE and int(kind) in PVB_LABELS:
                found[PVB_LABELS[int(kind)]].append([*map(float, box), float(score)])
        return found


def mirrored(found: Found, width: int) -> Found:
    """The boxes of a mirrored picture, moved back onto the upright one."""
    return {
        name: [[width - x2, y1, width - x1, y2, score] for x1, y1, x2, y2, score in rows]
        for name, rows in found.items()
    }
