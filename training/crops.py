"""Crops of vehicles with their kind.

| source | its classes -> ours |
|---|---|
| vehicle6 | bike -> motorcycle, juggernaut and truck -> truck, car, minibus, pickup as they are |
| vehicles_openimages | ambulance, bus, car, motorcycle, truck as they are |
| coco128 | car, motorcycle, bus, truck as they are; the rest is left out |

People who labelled the photos had no class for pickups and minibuses. An ImageNet classifier
(MobileNetV2, Apache-2.0) is asked about the training crops: where it is sure of a pickup or a
minibus, the target is half its word and half the human label.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training import datasets
from training.boxes import FloatArray
from training.teachers import open_session

SIDE = 128
# The network sees -1..1, as in its ImageNet training: (pixel - 127.5) / 127.5, RGB.
MEAN_RGB = (127.5, 127.5, 127.5)
STD_RGB = (127.5, 127.5, 127.5)
VEHICLE_TYPES = ("ambulance", "bus", "car", "minibus", "motorcycle", "pickup", "truck")

VEHICLE6_TYPES = {
    "bike": "motorcycle",
    "car": "car",
    "juggernaut": "truck",
    "minibus": "minibus",
    "pickup": "pickup",
    "truck": "truck",
}
IMAGENET_TYPES = {"minibus": "minibus", "pickup": "pickup, pickup truck"}
SMALLEST_CROP = 12
SECOND_OPINION = 0.5
MARGIN = 0.15
NEAR_DUPLICATE_RMSE = 10.0


@dataclass(frozen=True, slots=True)
class Crop:
    """A vehicle in its surroundings.

    `picture_bgr` (height, width, 3) uint8; `box` is the vehicle in it (x1, y1, x2, y2 pixels);
    `types` (7,) shares of `VEHICLE_TYPES` summing to 1; `group` names what must not be split
    between training and test: the photo, or a cluster of near-duplicates.
    """

    source: str
    picture_bgr: np.ndarray
    box: tuple[float, float, float, float]
    types: FloatArray
    group: str

    def cut(self) -> np.ndarray:
        """The vehicle alone, as the run time cuts it."""
        x1, y1, x2, y2 = (round(value) for value in self.box)
        return self.picture_bgr[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]


def shrunk(picture: np.ndarray, most: int) -> np.ndarray:
    """Return the picture with at most `most` pixels a side, in its own proportions."""
    scale = most / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(round(picture.shape[1] * scale), 2), max(round(picture.shape[0] * scale), 2))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def resized(crop_bgr: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return the crop stretched to a square, as the former kind classifier sees it."""
    shrinking = crop_bgr.shape[0] > side or crop_bgr.shape[1] > side
    way = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop_bgr, (side, side), interpolation=way))


def square(crop_bgr: np.ndarray, side: int) -> np.ndarray:
    """Return the crop in the middle of a black square, as the run time does ("square-pad")."""
    height, width = crop_bgr.shape[:2]
    scale = side / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    step = 1 << max(0, (max(height, width) // side).bit_length() - 1)
    if step > 1 and min(height, width) >= step:
        whole = crop_bgr[: height // step * step, : width // step * step]
        halved = (whole.shape[1] // step, whole.shape[0] // step)
        crop_bgr = cv2.resize(whole, halved, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((side, side, 3), np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    inner = cv2.resize(crop_bgr, size, interpolation=cv2.INTER_LINEAR)
    canvas[top : top + size[1], left : left + size[0]] = inner
    return canvas


def normalised(crops_bgr: np.ndarray) -> np.ndarray:
    """Crops (n, side, side, 3) uint8 BGR -> a network's input (n, 3, side, side), -1..1."""
    pixels = crops_bgr[..., ::-1].astype(np.float32)
    rgb = (pixels - np.array(MEAN_RGB, np.float32)) / np.array(STD_RGB, np.float32)
    return np.ascontiguousarray(rgb.transpose(0, 3, 1, 2))


def one_type(name: str) -> FloatArray:
    """Shares with everything on one type."""
    return np.array([float(name == other) for other in VEHICLE_TYPES], np.float32)


def near_duplicates(pictures: list[np.ndarray]) -> list[int]:
    """A cluster number per picture: alike ones (16x16 gray, RMSE below 10 of 255) share it."""
    gray = [
        cv2.resize(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), (16, 16), interpolation=cv2.INTER_AREA)
        for p in pictures
    ]
    flat = np.stack(gray).reshape(len(gray), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    squares = (flat**2).sum(1)
    distance = (squares[:, None] + squares[None] - 2 * flat @ flat.T) / flat.shape[1]
    cluster = list(range(len(pictures)))
    for first, second in zip(*np.where(np.triu(distance < NEAR_DUPLICATE_RMSE**2, 1)), strict=True):
        old, new = cluster[second], cluster[first]
        cluster = [new if number == old else number for number in cluster]
    return cluster


def vehicle6(data: Path) -> list[Crop]:
    """Every picture of vehicle6, grouped by near-duplicates."""
    paths = [p for name in VEHICLE6_TYPES for p in sorted((data / "vehicle6" / name).iterdir())]
    pictures = [datasets.read_picture(path) for path in paths]
    clusters = near_duplicates(pictures)
    return [
        Crop(
            "vehicle6",
            picture,
            (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])),
            one_type(VEHICLE6_TYPES[path.parent.name]),
            f"vehicle6/{paths[cluster].parent.name}/{paths[cluster].name}",
        )
        for path, picture, cluster in zip(paths, pictures, clusters, strict=True)
    ]


def surrounding(
    example: datasets.Example, picture: np.ndarray, box: FloatArray, types: FloatArray
) -> Crop:
    """The crop of one box with a margin of 15 % of its size, for jitter."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (float(value) for value in box)
    dx, dy = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    left, top = int(max(x1 - dx, 0)), int(max(y1 - dy, 0))
    right, bottom = int(min(x2 + dx, width)) + 1, int(min(y2 + dy, height)) + 1
    inner = (max(x1, 0.0) - left, max(y1, 0.0) - top, min(x2, width) - left, min(y2, height) - top)
    region = picture[top:bottom, left:right].copy()
    return Crop(example.source, region, inner, types, example.key)


def labelled_photo_crops(examples: list[datasets.Example], smallest: int = 0) -> list[Crop]:
    """Crops of the typed vehicles of photos with sides of at least `smallest` pixels."""
    crops = []
    for example in examples:
        picture = datasets.read_picture(example.path)
        for box, kind in zip(example.boxes_xyxy, example.classes, strict=True):
            name = datasets.LABELS[kind]
            if name in VEHICLE_TYPES and min(box[2] - box[0], box[3] - box[1]) >= smallest:
                crops.append(surrounding(example, picture, box, one_type(name)))
    return crops


class ImageNetOpinion:
    """Asks MobileNetV2 whether a training crop is a pickup or a minibus."""

    def __init__(self, models: Path) -> None:
        folder = models / "mobilenet_v2_quant"
        self._session = open_session(folder / "mobilenet_v2_1.0_224_quant.onnx")
        names = (folder / "imagenet_labels_1001.txt").read_text().splitlines()
        self._rows = {ours: names.index(theirs) for ours, theirs in IMAGENET_TYPES.items()}

    def __call__(self, crop: Crop) -> Crop:
        """The crop, its types shared with the opinion where that is sure."""
        picture = cv2.cvtColor(resized(crop.cut(), 224), cv2.COLOR_BGR2RGB)[None]
        feed = {self._session.get_inputs()[0].name: picture}
        shares = self._session.run(None, feed)[0].ravel() / 255
        for name, row in self._rows.items():
            if shares[row] > SECOND_OPINION:
                types = ((crop.types + one_type(name)) / 2).astype(np.float32)
                return Crop(crop.source, crop.picture_bgr, crop.box, types, crop.group)
        return crop


def distort(crop: Crop, rng: random.Random, most: int = SIDE) -> np.ndarray:
    """Return a training view: box jitter, mirror, tilt, blur, JPEG noise, colours.

    The view keeps the proportions of the box and has at most `most` pixels a side.
    """
    x1, y1, x2, y2 = crop.box
    reach_x, reach_y = 0.12 * (x2 - x1), 0.12 * (y2 - y1)
    height, width = crop.picture_bgr.shape[:2]
    left = int(min(max(x1 + rng.uniform(-reach_x, reach_x), 0), width - 2))
    top = int(min(max(y1 + rng.uniform(-reach_y, reach_y), 0), height - 2))
    right = int(min(max(x2 + rng.uniform(-reach_x, reach_x), left + 2), width))
    bottom = int(min(max(y2 + rng.uniform(-reach_y, reach_y), top + 2), height))
    view = crop.picture_bgr[top:bottom, left:right]
    view = shrunk(view, rng.randint(28, 110) if rng.random() < 0.5 else most)
    if rng.random() < 0.5:
        view = view[:, ::-1]
    view = np.ascontiguousarray(view)
    if rng.random() < 0.3:
        size = (view.shape[1], view.shape[0])
        turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), rng.uniform(-10, 10), 1)
        view = np.asarray(cv2.warpAffine(view, turn, size, borderMode=cv2.BORDER_REFLECT))
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(25, 85)]
        coded = cv2.imencode(".jpg", view, quality)[1]
        view = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    hsv = cv2.cvtColor(view, cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-6, 6)) % 180
    hsv[..., 1] *= rng.uniform(0.3, 1.5)
    hsv[..., 2] = hsv[..., 2] * rng.uniform(0.6, 1.4) + rng.uniform(-25, 25)
    return np.asarray(cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR))
