"""The shapes that data has on its way through this wing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ImageRGB = NDArray[np.uint8]
"""Pixels [height, width, 3], upright, red first, 0..255."""

SizeWH = tuple[int, int]
"""Width and height of a picture, pixels."""

Tensor = NDArray[Any]
"""A model's input or output, in the dtype and layout that its manifest says."""

Outputs = Mapping[str, Tensor]
"""A model's outputs by name."""


@dataclass(frozen=True, slots=True)
class RawDetections:
    """What a head finds, before any picture is known.

    Attributes:
        boxes_xyxy: float32 [n, 4], corners x1, y1, x2, y2 in pixels of the model's input.
        scores: float32 [n], 0..1.
        class_ids: int64 [n], positions in the manifest's labels.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]


BoxXYXY = tuple[int, int, int, int]
"""Corners x1, y1, x2, y2 in pixels of the upright picture, 0 <= x1 < x2 <= width, same for y."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An object in a picture.

    Attributes:
        box_xyxy: Where it is.
        class_name: One of the detector's labels.
        confidence: 0..1.
    """

    box_xyxy: BoxXYXY
    class_name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Classification:
    """The best classes of one crop by one output of a classifier, best first.

    Attributes:
        names: Class names.
        probabilities: Their probabilities in the same order, 0..1.
    """

    names: tuple[str, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A detected vehicle and what the classifiers say about it.

    Attributes:
        detection: Where it is and what the detector calls it.
        classifications: Per classifier, by its name, per output, by the output's name; both in
            the configured order.
    """

    detection: Detection
    classifications: Mapping[str, Mapping[str, Classification]]
