"""The crops of `vehicle_attributes` in one file, and the same as tensors on a device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from training.crops import Crop
from training.datasets import is_held_out
from training.views import SIDE

QUALITY = 75


@dataclass(frozen=True, slots=True)
class Pack:
    """Crops as tensors; every field has one row per crop.

    Attributes:
        pictures: uint8 (n, 3, SIDE, SIDE) RGB, each in the top left corner.
        limits: Width and height of each picture, pixels (n, 2) float32.
        boxes: The vehicle, x1, y1, x2, y2 pixels (n, 4) float32.
        kinds: Shares of `VEHICLE_TYPES` summing to 1 (n, 7) float32.
        held_out: Crops that nothing is trained on, (n,) bool.
        sources: Names of the data sets.
    """

    pictures: Tensor
    limits: Tensor
    boxes: Tensor
    kinds: Tensor
    held_out: Tensor
    sources: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)

    def of(self, source: str) -> Tensor:
        """Return which crops come from the source, (n,) bool."""
        return torch.from_numpy(self.sources == source).to(self.pictures.device)


def shrunk(crop: Crop) -> Crop:
    """Return the crop with at most SIDE pixels a side."""
    height, width = crop.picture_bgr.shape[:2]
    scale = SIDE / max(height, width)
    if scale >= 1:
        return crop
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = cv2.resize(crop.picture_bgr, size, interpolation=cv2.INTER_AREA)
    x1, y1, x2, y2 = crop.box
    across, down = size[0] / width, size[1] / height
    box = (x1 * across, y1 * down, x2 * across, y2 * down)
    return Crop(crop.source, picture, box, crop.types, crop.group)


def write(crops: list[Crop], never_trained: set[str], path: Path) -> None:
    """Write crops to an .npz file, pictures as WebP.

    Crops of the sources `never_trained` and those that `is_held_out` names are held out.
    """
    small = [shrunk(crop) for crop in crops]
    way = [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    coded = [cv2.imencode(".webp", crop.picture_bgr, way)[1].ravel() for crop in small]
    held = [crop.source in never_trained or is_held_out(crop.group) for crop in small]
    np.savez(
        path,
        coded=np.concatenate(coded),
        ends=np.cumsum([len(each) for each in coded]),
        boxes=np.array([crop.box for crop in small], np.float32),
        kinds=np.stack([crop.types for crop in small]).astype(np.float16),
        held_out=np.array(held),
        sources=np.array([crop.source for crop in small]),
    )


def read(paths: list[Path], device: str) -> Pack:
    """Return the crops of one or several files on a device."""
    pictures, limits, parts = [], [], []
    for path in paths:
        part = dict(np.load(path))
        parts.append(part)
        for coded in np.split(part["coded"], part["ends"][:-1]):
            picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
            height, width = picture.shape[:2]
            canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
            canvas[:height, :width] = picture[..., ::-1]
            pictures.append(canvas.transpose(2, 0, 1))
            limits.append((width, height))

    def joined(name: str) -> np.ndarray:
        return np.concatenate([part[name] for part in parts])

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(joined(name)).to(device)

    return Pack(
        torch.from_numpy(np.stack(pictures)).to(device),
        torch.tensor(limits, dtype=torch.float32, device=device),
        tensor("boxes").float(),
        tensor("kinds").float(),
        tensor("held_out"),
        joined("sources"),
    )
