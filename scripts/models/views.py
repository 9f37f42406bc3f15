"""Views of a picture that show the same objects: the picture, its mirror image, and smaller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.types import ImageRGB

Boxes = NDArray[np.float32]

SMALLER = 0.75
"""Scale of the smaller view."""
MARGIN = 8
"""The smaller view starts at an eighth of each side."""
GRAY = 114


@dataclass(frozen=True, slots=True)
class View:
    """A transformed picture.

    Attributes:
        transform: Returns the view of a picture.
        restore: Maps boxes of the view (x1, y1, x2, y2) to the picture of a width and height.
    """

    transform: Callable[[ImageRGB], ImageRGB]
    restore: Callable[[Boxes, int, int], Boxes]


def mirrored(image_rgb: ImageRGB) -> ImageRGB:
    """Return the mirror image."""
    return np.ascontiguousarray(image_rgb[:, ::-1])


def smaller(image_rgb: ImageRGB) -> ImageRGB:
    """Return the picture at three quarters of its size, on a gray canvas of the same size."""
    height, width = image_rgb.shape[:2]
    inner_wh = (max(1, int(width * SMALLER)), max(1, int(height * SMALLER)))
    inner = np.asarray(cv2.resize(image_rgb, inner_wh, interpolation=cv2.INTER_AREA), np.uint8)
    canvas = np.full_like(image_rgb, GRAY)
    top, left = height // MARGIN, width // MARGIN
    canvas[top : top + inner_wh[1], left : left + inner_wh[0]] = inner
    return canvas


def _restore_mirrored(boxes_xyxy: Boxes, width: int, _height: int) -> Boxes:
    restored = boxes_xyxy.copy()
    restored[:, [0, 2]] = width - boxes_xyxy[:, [2, 0]]
    return restored


def _restore_smaller(boxes_xyxy: Boxes, width: int, height: int) -> Boxes:
    left, top = width // MARGIN, height // MARGIN
    return np.asarray((boxes_xyxy - np.array([left, top] * 2)) / SMALLER, np.float32)


VIEWS = (
    View(lambda image_rgb: image_rgb, lambda boxes, _width, _height: boxes),
    View(mirrored, _restore_mirrored),
    View(smaller, _restore_smaller),
)
