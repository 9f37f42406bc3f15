"""Types of the data that passes through this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ImageRGB = NDArray[np.uint8]
"""uint8 [height, width, 3], RGB, 0..255, upright."""

SizeWH = tuple[int, int]
"""Width and height of an image in pixels."""

Tensor = NDArray[Any]
"""An input or output of a model, in the dtype and layout of its manifest."""

Outputs = Mapping[str, Tensor]
"""Outputs of a model by name."""


@dataclass(frozen=True, slots=True)
class RawDetections:
    """Boxes that a head decodes from a model's outputs.

    Attributes:
        boxes_xyxy: float32 [n, 4], corners x1, y1, x2, y2 in pixels of the model's input.
        scores: float32 [n], 0..1.
        class_ids: int64 [n], indexes into the manifest's labels.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]


BoxXYXY = tuple[int, int, int, int]
"""Corners x1, y1, x2, y2 in pixels of the upright image: 0 <= x1 < x2 <= width, same for y."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An object in an image.

    Attributes:
        box_xyxy: Corners in pixels of the upright image.
        class_name: One of the detector's labels.
        confidence: Score of the detector, 0..1.
    """

    box_xyxy: BoxXYXY
    class_name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Classification:
    """The classes of one crop from one output of a classifier, highest probability first.

    Attributes:
        names: Class names.
        probabilities: Probabilities in the same order, 0..1.
    """

    names: tuple[str, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A further property of a vehicle, such as its colour, in a field of its own.

    Attributes:
        classes: Classes in `label`, `pred` and `prob` of the field.
        further: Classes of a classifier's other outputs by name; they are objects in the field.
    """

    classes: Classification
    further: Mapping[str, Classification] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A detected vehicle and its classes.

    Attributes:
        detection: Box, class and score of the detector.
        name: Classes in `label`, `pred` and `prob` of the response; None without classifiers.
        attributes: Further properties by response field.
        is_classified: False if the limit of crops left this vehicle out. Its name is then the
            detector's class.
    """

    detection: Detection
    name: Classification | None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    is_classified: bool = True
