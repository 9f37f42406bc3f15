"""Independent decodes of exported detectors, written from the frameworks' own post-processing.

They share no code with the product: only the picture's path and the ONNX file go in, and rows of
x1, y1, x2, y2, score, class come out, in pixels of the picture, highest score first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Array = NDArray[np.float64]
Read = Callable[[Mapping[str, Array], int, int], Array]
"""(outputs, width, height of the input) -> rows in pixels of the input."""

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
MAX_ROWS = 100
LOWEST = 0.05


def corners(boxes: Array) -> Array:
    x, y, w, h = boxes.T
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)


def suppress(rows: Array, limit: float) -> Array:
    """Class by class, keep a box unless a better one overlaps it by more than the limit."""
    kept: list[Array] = []
    for row in rows[np.argsort(-rows[:, 4], kind="stable")]:
        for other in kept:
            low, high = np.maximum(row[:2], other[:2]), np.minimum(row[2:4], other[2:4])
            shared = np.prod(np.clip(high - low, 0, None))
            union = np.prod(row[2:4] - row[:2]) + np.prod(other[2:4] - other[:2]) - shared
            if row[5] == other[5] and shared > limit * union:
                break
        else:
            kept.append(row)
        if len(kept) == MAX_ROWS:
            break
    return np.array(kept).reshape(-1, 6)


def columns(classes: int = 80, limit: float = 0.7) -> Read:
    """YOLOv8's head: cx, cy, w, h, and a score per class, in columns."""

    def read(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
        values = next(iter(outputs.values()))[0].T
        scores = values[:, 4 : 4 + classes]
        best = scores.argmax(axis=1)
        rows = np.column_stack([corners(values[:, :4]), scores.max(axis=1), best])
        return suppress(rows[rows[:, 4] > LOWEST], limit)

    return read


def finished(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """Rows of an end-to-end head."""
    return np.asarray(next(iter(outputs.values()))[0][:, :6])


def transformer_rows(outputs: Mapping[str, Array], width: int, height: int) -> Array:
    """Ultralytics' RT-DETR: cx, cy, w, h of 0..1."""
    rows = next(iter(outputs.values()))[0].copy()
    rows[:, :4] = corners(rows[:, :4]) * [width, height, width, height]
    return np.asarray(rows)


def queries(logits: str, boxes: str, *, softmax: bool) -> Read:
    """DETR's post-processing, and that of its successors."""

    def read(outputs: Mapping[str, Array], width: int, height: int) -> Array:
        values = outputs[logits][0]
        xyxy = corners(outputs[boxes][0]) * [width, height, width, height]
        if softmax:
            weights = np.exp(values - values.max(axis=1, keepdims=True))
            shares = (weights / weights.sum(axis=1, keepdims=True))[:, :-1]
            return np.column_stack([xyxy, shares.max(axis=1), shares.argmax(axis=1)])
        shares = 1 / (1 + np.exp(-values))
        query, kind = np.nonzero(shares > LOWEST)
        return np.column_stack([xyxy[query], shares[query, kind], kind])

    return read


def listed(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """torchvision's lists of boxes, scores and labels."""
    return np.column_stack([outputs["boxes"], outputs["scores"], outputs["labels"]])


def scored(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """YOLO-NAS and PP-YOLOE: boxes and class scores before suppression."""
    boxes, scores = sorted((each[0] for each in outputs.values()), key=lambda each: each.shape[1])
    rows = np.column_stack([boxes, scores.max(axis=1), scores.argmax(axis=1)])
    return suppress(rows[rows[:, 4] > LOWEST], 0.7)


def decode(
    model: Path, picture: Path, read: Read, *, boxed: bool, imagenet: bool = False, side: int = 320
) -> Array:
    """Return the rows of one picture.

    Args:
        model: The ONNX file.
        picture: The picture.
        read: Decodes the outputs.
        boxed: Whether the picture is letterboxed over gray, in the middle; else stretched.
        imagenet: Whether ImageNet's mean and deviation are used.
        side: Side of an input with dynamic axes.
    """
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    batch, _, rows, cols = (each if isinstance(each, int) else None for each in port.shape)
    height, width = rows or side, cols or side
    image = np.asarray(cv2.imread(str(picture)), np.uint8)[:, :, ::-1].copy()
    scale = np.array([width / image.shape[1], height / image.shape[0]])
    offset = np.zeros(2)
    if boxed:
        scale[:] = scale.min()
        size = np.round([image.shape[1] * scale[0], image.shape[0] * scale[1]]).astype(int)
        offset = (np.array([width, height]) - size) // 2
        canvas = np.full((height, width, 3), 114, np.uint8)
        left, top = offset
        canvas[top : top + size[1], left : left + size[0]] = cv2.resize(image, size.tolist())
        image = canvas
    else:
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    values = image / 255
    if imagenet:
        values = (values - MEAN) / STD
    tensor: Any = np.repeat(values.transpose(2, 0, 1)[None], batch or 1, axis=0)
    kind = np.float16 if "float16" in port.type else np.float32
    names = [each.name for each in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, {port.name: tensor.astype(kind)}), strict=True))
    found = read({k: np.asarray(v, np.float64) for k, v in outputs.items()}, width, height)
    found = found[np.argsort(-found[:, 4], kind="stable")][:MAX_ROWS].copy()
    found[:, :4] = (found[:, :4] - [*offset, *offset]) / [*scale, *scale]
    return np.asarray(found)
