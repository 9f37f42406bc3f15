"""Plain inference with Pillow, numpy and onnxruntime, shared by the other contestants.

The naive handler and the web frameworks use it, so they differ only in how a request reaches it. It
shares no code with the product: optimisations of the product must not speed it up. Nothing in it is
slow on purpose: models are loaded once, the grid is computed once, and numpy operations are
vectorised.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageOps

MODELS = Path(__file__).resolve().parent.parent.parent / "models"
THRESHOLD = 0.4
MIN_AREA = 0.005
CAR_OVER_TRUCK_IOU = 0.9
TOP = 5

Boxes = NDArray[np.float32]
Found = list[dict[str, Any]]


class PlainModels:
    """The two embedded models.

    Args:
        folder: The folder with `vehicle_detector` and `vehicle_attributes`.
        options: Options of both sessions; None for onnxruntime's defaults.
    """

    def __init__(
        self, folder: Path = MODELS, options: onnxruntime.SessionOptions | None = None
    ) -> None:
        """Load the models."""
        self._detector, self._detection = _load(folder / "vehicle_detector", options)
        self._classifier, self._classification = _load(folder / "vehicle_attributes", options)
        self._side = self._detection["input"]["width"]
        self._grid = grid((self._side, self._side), self._detection["output"]["strides"])

    def detect(self, data: bytes) -> Found:
        """Return the objects of a picture as `/object_detection` does."""
        return self._find(decode(data))

    def predict(self, data: bytes) -> Found:
        """Return the classified vehicles of a picture as `/predict` does."""
        image = decode(data)
        vehicles = self._detection["vehicles"]
        found = [each for each in self._find(image) if each["class_name"] in vehicles]
        for each in found:
            crop = image.crop((each["x1"], each["y1"], each["x2"], each["y2"]))
            each.update(self._classify(crop, each["class_name"]))
        return found

    def _find(self, image: Image.Image) -> Found:
        scale = min(self._side / image.width, self._side / image.height)
        size = (round(image.width * scale), round(image.height * scale))
        canvas = np.full((self._side, self._side, 3), 114, np.uint8)
        small = image.resize(size, Image.Resampling.BILINEAR)
        canvas[: size[1], : size[0]] = np.asarray(small)
        tensor = canvas[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        rows = self._detector.run(None, {"images": tensor})[0][0]
        return self.objects(rows, scale, image.size)

    def objects(
        self,
        rows: Boxes,
        scale: float,
        size_wh: tuple[int, int],
        input_wh: tuple[int, int] | None = None,
    ) -> Found:
        """Decode the detector's output to objects of a picture.

        Args:
            rows: float32 [cells, 5 + classes].
            scale: Input pixels per picture pixel.
            size_wh: Width and height of the picture in pixels.
            input_wh: Width and height of the model's input, if it is not the full one.
        """
        strides = self._detection["output"]["strides"]
        cells, sizes = grid(input_wh, strides) if input_wh else self._grid
        class_ids = rows[:, 5:].argmax(axis=1)
        scores = rows[:, 4] * rows[:, 5:].max(axis=1)
        sure = np.flatnonzero(scores >= THRESHOLD)
        centre = (rows[sure, :2] + cells[sure]) * sizes[sure]
        half = np.exp(rows[sure, 2:4]) * sizes[sure] / 2
        corners = np.concatenate([centre - half, centre + half], axis=1) / scale
        limits = np.array([*size_wh, *size_wh], np.float32)
        boxes = np.asarray(np.clip(corners, 0, limits), np.float32)
        nms_iou = self._detection["output"]["nms_iou"]
        kept = suppress(boxes, scores[sure], class_ids[sure], nms_iou)
        labels = self._detection["labels"]
        found = [
            _element(boxes[i], labels[class_ids[sure[i]]], float(scores[sure[i]])) for i in kept
        ]
        return _filtered(found, MIN_AREA * size_wh[0] * size_wh[1])

    def _classify(self, crop: Image.Image, class_name: str) -> dict[str, Any]:
        side = self._classification["input"]["width"]
        square = ImageOps.pad(crop, (side, side), Image.Resampling.BILINEAR)
        tensor = ((np.asarray(square, np.float32) - 127.5) / 127.5).transpose(2, 0, 1)[None]
        outputs = self._classification["output"]["outputs"]
        values = self._classifier.run([each["name"] for each in outputs], {"images": tensor})
        answers = {
            each["role"]: _classes(each, value.reshape(-1), class_name)
            for each, value in zip(outputs, values, strict=True)
        }
        make = next(each for each in outputs if each["role"] == "make")
        if answers["kind"]["pred"][0] not in make["applies_to"]:
            del answers["make"]
        elif _is_sure(answers["make"], make):
            return {**answers["make"], **answers}
        return {**answers["kind"], **answers}


def decode(data: bytes) -> Image.Image:
    """Return the full picture, upright, mode RGB."""
    image = Image.open(io.BytesIO(data))
    return ImageOps.exif_transpose(image).convert("RGB")


def grid(input_wh: tuple[int, int], strides: list[int]) -> tuple[Boxes, Boxes]:
    """Return column and row of every cell [cells, 2], and its stride [cells, 1]."""
    cells, sizes = [], []
    for stride in strides:
        y, x = np.mgrid[: input_wh[1] // stride, : input_wh[0] // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        sizes.append(np.full((x.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(sizes).astype(np.float32)


def suppress(
    boxes: Boxes, scores: NDArray[np.floating[Any]], class_ids: NDArray[np.int64], max_iou: float
) -> list[int]:
    """Return positions kept by greedy non-maximum suppression per class, best first."""
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        same = class_ids[rest] == class_ids[best]
        order = rest[~(same & (overlaps(boxes[best], boxes[rest]) > max_iou))]
    return kept


def overlaps(box: Boxes, boxes: Boxes) -> Boxes:
    """Return the IoU of a box [4] with each of many [n, 4]; corners x1, y1, x2, y2."""
    width = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    height = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    shared = width.clip(0) * height.clip(0)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return np.asarray(shared / np.maximum(area + areas - shared, 1e-9))


def _load(
    folder: Path, options: onnxruntime.SessionOptions | None
) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    manifest = json.loads((folder / "manifest.json").read_text())
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(folder / "model.onnx", options, providers), manifest


def _classes(
    output: dict[str, Any], values: NDArray[np.float32], class_name: str
) -> dict[str, Any]:
    if output["activation"] == "softmax":
        values = np.exp(output.get("scale", 1) * (values - values.max()))
    if "detector_weights" in output:
        by_label = output["detector_weights"][class_name]
        values = values * np.array([by_label[label] for label in output["labels"]])
    values = values / values.sum()
    best = np.argsort(-values)[:TOP]
    names = [output["labels"][i] for i in best]
    return {
        "label": f"{names[0]}: {round(float(values[best[0]]), 4)}",
        "pred": names,
        "prob": [float(values[i]) for i in best],
    }


def _is_sure(answer: dict[str, Any], output: dict[str, Any]) -> bool:
    named = answer["pred"][0] != output["unknown_label"]
    return named and bool(answer["prob"][0] >= output["threshold"])


def _element(box: Boxes, name: str, score: float) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    label = f"{name}: {round(score, 4)}"
    corners = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return {**corners, "class_name": name, "confidence": score, "label": label}


def _filtered(found: Found, min_area: float) -> Found:
    large = [
        each for each in found if (each["x2"] - each["x1"]) * (each["y2"] - each["y1"]) >= min_area
    ]
    cars = [_corners(each) for each in large if each["class_name"] == "car"]
    if not cars:
        return large
    boxes = np.array(cars, np.float32)
    return [
        each
        for each in large
        if each["class_name"] != "truck"
        or overlaps(np.array(_corners(each), np.float32), boxes).max() <= CAR_OVER_TRUCK_IOU
    ]


def _corners(element: dict[str, Any]) -> list[int]:
    return [element[name] for name in ("x1", "y1", "x2", "y2")]
