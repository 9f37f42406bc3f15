"""Independent decodes of exported detectors, written from the frameworks' own post-processing.

They share no code with the product: only the picture's path and the ONNX file go in, and rows of
x1, y1, x2, y2, score, class come out, in pixels of the picture, highest score first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Array = NDArray[np.float64]
Read = Callable[[Mapping[str, Array], int, int], Array]
"""(outputs, width, height of the input) -> rows in pixels of the input."""

MAX_ROWS = 300
LOWEST = 0.05


def to_corners(boxes: Array) -> Array:
    x, y, w, h = boxes.T
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)


def suppress(rows: Array, limit: float) -> Array:
    """Class by class, keep a box unless a better one overlaps it by more than the limit."""
    kept = np.empty((0, 6))
    for row in rows[np.argsort(-rows[:, 4], kind="stable")]:
        others = kept[kept[:, 5] == row[5]]
        low, high = np.maximum(row[:2], others[:, :2]), np.minimum(row[2:4], others[:, 2:4])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        union = (others[:, 2:4] - others[:, :2]).prod(axis=1) + np.prod(row[2:4] - row[:2]) - shared
        if not (shared > limit * union).any():
            kept = np.concatenate([kept, row[np.newaxis]])
        if len(kept) == MAX_ROWS:
            break
    return kept


def columns(classes: int = 80, limit: float = 0.7, *, corners: bool = False) -> Read:
    """YOLOv8's head: cx, cy, w, h (or corners), and a score per class, in columns or rows."""

    def read(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
        values = next(iter(outputs.values()))[0]
        values = values if values.shape[1] == 4 + classes else values.T
        scores = values[:, 4 : 4 + classes]
        boxes = values[:, :4] if corners else to_corners(values[:, :4])
        rows = np.column_stack([boxes, scores.max(axis=1), scores.argmax(axis=1)])
        return suppress(rows[rows[:, 4] > LOWEST], limit)

    return read


def finished(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """Rows of an end-to-end head."""
    return np.asarray(next(iter(outputs.values()))[0][:, :6])


def transformer_rows(outputs: Mapping[str, Array], width: int, height: int) -> Array:
    """Ultralytics' RT-DETR: cx, cy, w, h of 0..1."""
    rows = next(iter(outputs.values()))[0].copy()
    rows[:, :4] = to_corners(rows[:, :4]) * [width, height, width, height]
    return np.asarray(rows)


def queries(logits: str, boxes: str, *, softmax: bool) -> Read:
    """DETR's post-processing, and that of its successors."""

    def read(outputs: Mapping[str, Array], width: int, height: int) -> Array:
        values = outputs[logits][0]
        xyxy = to_corners(outputs[boxes][0]) * [width, height, width, height]
        if softmax:
            weights = np.exp(values - values.max(axis=1, keepdims=True))
            shares = (weights / weights.sum(axis=1, keepdims=True))[:, :-1]
            return np.column_stack([xyxy, shares.max(axis=1), shares.argmax(axis=1)])
        shares = 1 / (1 + np.exp(-values))
        query, kind = np.nonzero(shares > LOWEST)
        return np.column_stack([xyxy[query], shares[query, kind], kind])

    return read


def objectness(limit: float = 0.45) -> Read:
    """YOLOv5, v6, v7 and decoded YOLOX: cx, cy, w, h, objectness, and a score per class."""

    def read(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
        values = next(iter(outputs.values()))[0]
        scores = values[:, 4:5] * values[:, 5:]
        rows = np.column_stack(
            [to_corners(values[:, :4]), scores.max(axis=1), scores.argmax(axis=1)]
        )
        return suppress(rows[rows[:, 4] > LOWEST], limit)

    return read


def cells(width: int, height: int, strides: Sequence[int]) -> Array:
    """Column, row and stride of every cell."""
    return np.array(
        [
            (x, y, stride)
            for stride in strides
            for y in range(-(-height // stride))
            for x in range(-(-width // stride))
        ],
        np.float64,
    )


def yolox_grid(outputs: Mapping[str, Array], width: int, height: int) -> Array:
    """YOLOX's demo_postprocess."""
    values = next(iter(outputs.values()))[0].copy()
    grid = cells(width, height, (8, 16, 32))
    values[:, :2] = (values[:, :2] + grid[:, :2]) * grid[:, 2:]
    values[:, 2:4] = np.exp(values[:, 2:4]) * grid[:, 2:]
    return objectness()({"rows": values[None]}, width, height)


def nanodet(strides: Sequence[int], offset: float) -> Read:
    """NanoDet's post-processing: scores, then distributions over 8 distances for each edge."""

    def read(outputs: Mapping[str, Array], width: int, height: int) -> Array:
        values = next(iter(outputs.values()))[0]
        grid = cells(width, height, strides)
        bins = np.exp(values[:, -32:].reshape(-1, 4, 8))
        edges = (bins * np.arange(8)).sum(axis=2) / bins.sum(axis=2) * grid[:, 2:]
        centre = (grid[:, :2] + offset) * grid[:, 2:]
        boxes = np.column_stack([centre - edges[:, :2], centre + edges[:, 2:]])
        row, kind = np.nonzero(values[:, :-32] > LOWEST)
        return suppress(np.column_stack([boxes[row], values[row, kind], kind]), 0.6)

    return read


def yolov7_rows(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """YOLOv7's end-to-end rows: picture, box, class, score."""
    rows = next(iter(outputs.values())).reshape(-1, 7)
    return rows[:, [1, 2, 3, 4, 6, 5]]


def dets(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """mmdeploy's rows of five, and labels."""
    return np.column_stack([outputs["dets"][0], outputs["labels"][0]])


def faces(outputs: Mapping[str, Array], width: int, height: int) -> Array:
    """UltraFace: the second score is the face's."""
    boxes = outputs["boxes"][0] * [width, height, width, height]
    scores = outputs["scores"][0][:, 1]
    rows = np.column_stack([boxes, scores, np.zeros(len(boxes))])
    return suppress(rows[rows[:, 4] > LOWEST], 0.7)


def batched(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """YOLO-NAS, format batch: number, boxes, scores and classes, padded."""
    count, boxes, scores, classes = (each[0] for each in outputs.values())
    rows = np.column_stack([boxes, scores, classes])
    return np.asarray(rows[: int(count.reshape(-1)[0])])


def flat(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """YOLO-NAS, format flat: picture, box, score, class."""
    return np.asarray(next(iter(outputs.values())).reshape(-1, 7)[:, 1:])


def listed(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """torchvision's lists of boxes, scores and labels."""
    return np.column_stack([outputs["boxes"], outputs["scores"], outputs["labels"]])


def scored(outputs: Mapping[str, Array], _width: int, _height: int) -> Array:
    """YOLO-NAS and PP-YOLOE: boxes and class scores before suppression."""
    boxes, scores = sorted((each[0] for each in outputs.values()), key=lambda each: each.shape[1])
    rows = np.column_stack([boxes, scores.max(axis=1), scores.argmax(axis=1)])
    return suppress(rows[rows[:, 4] > LOWEST], 0.7)


@dataclass(frozen=True)
class Pixels:
    """Preparation of a picture by a framework's own code.

    Attributes:
        fit: `stretch`, or where the picture lies over gray: `center` or `corner`.
        bgr: Whether channels are in the order of OpenCV.
        mean: Mean of each channel in 0..255, in the network's order.
        std: Deviation of each channel in 0..255.
    """

    fit: str = "center"
    bgr: bool = False
    mean: Sequence[float] = (0, 0, 0)
    std: Sequence[float] = (255, 255, 255)


def prepare(picture: Path, pixels: Pixels, width: int, height: int) -> tuple[Array, Array, Array]:
    """Return values [3, height, width], the scale (x, y) and the offset (x, y)."""
    image = np.asarray(cv2.imread(str(picture)), np.uint8)
    if not pixels.bgr:
        image = image[:, :, ::-1].copy()
    scale = np.array([width / image.shape[1], height / image.shape[0]])
    offset = np.zeros(2)
    if pixels.fit == "stretch":
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    else:
        scale[:] = scale.min()
        size = np.round([image.shape[1] * scale[0], image.shape[0] * scale[1]]).astype(int)
        if pixels.fit == "center":
            offset = (np.array([width, height]) - size) // 2
        canvas = np.full((height, width, 3), 114, np.uint8)
        left, top = offset.astype(int)
        canvas[top : top + size[1], left : left + size[0]] = cv2.resize(image, size.tolist())
        image = canvas
    values = (image - np.array(pixels.mean)) / np.array(pixels.std)
    return values.transpose(2, 0, 1), scale, offset


def decode(model: Path, picture: Path, read: Read, pixels: Pixels, side: int = 320) -> Array:
    """Return the rows of one picture.

    Args:
        model: The ONNX file.
        picture: The picture.
        read: Decodes the outputs.
        pixels: How the picture is prepared.
        side: Side of an input with dynamic axes.
    """
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    batch, _, rows, cols = (each if isinstance(each, int) else None for each in port.shape)
    height, width = rows or side, cols or side
    values, scale, offset = prepare(picture, pixels, width, height)
    tensor: Any = np.repeat(values[None], batch or 1, axis=0)
    kind = np.float16 if "float16" in port.type else np.float32
    names = [each.name for each in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, {port.name: tensor.astype(kind)}), strict=True))
    found = read({k: np.asarray(v, np.float64) for k, v in outputs.items()}, width, height)
    found = found[np.argsort(-found[:, 4], kind="stable")][:MAX_ROWS].copy()
    found[:, :4] = (found[:, :4] - [*offset, *offset]) / [*scale, *scale]
    return np.asarray(found)
