"""Run a model on a gray and on a drawn picture, to see what its outputs hold.

Shapes and names alone often fit several formats. Values distinguish logits from probabilities,
decoded boxes from raw grids, and pixels from 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.types import Tensor
from scripts.models.errors import ToolError
from scripts.models.graph import Graph, blank_feeds
from scripts.models.guess_inputs import INT8_ZERO, Picture

STREET = Path(__file__).parent.parent.parent / "samples" / "street.jpg"
GRAY = 114
MAX_INTEGER = 10_000


@dataclass(frozen=True)
class Output:
    """The values of one output in both runs.

    Attributes:
        name: Name in the graph.
        gray: Value for the gray picture.
        street: Value for the drawn street.
    """

    name: str
    gray: Tensor
    street: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in the run on the street."""
        return tuple(int(size) for size in self.street.shape)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """All values of both runs, flat."""
        both = [np.asarray(run, np.float64).reshape(-1) for run in (self.gray, self.street)]
        return np.concatenate(both)

    @property
    def are_probabilities(self) -> bool:
        """Return whether all values are in 0..1."""
        return bool(self.values.size and self.values.min() >= 0 and self.values.max() <= 1)

    @property
    def are_integers(self) -> bool:
        """Return whether all values are small whole numbers, such as class ids."""
        return bool(
            self.values.size
            and np.all(self.values == np.round(self.values))
            and np.abs(self.values).max() < MAX_INTEGER
        )

    def rows(self) -> NDArray[np.float64]:
        """Return the rows [n, columns] of an output [1, n, columns] or [n, columns], both runs."""
        width = self.shape[-1]
        return self.values.reshape(-1, width)


@dataclass(frozen=True, slots=True)
class Probe:
    """The outputs of both runs.

    Attributes:
        size_wh: Width and height of the input.
        outputs: Outputs in the model's order.
    """

    size_wh: tuple[int, int]
    outputs: tuple[Output, ...]

    def named(self, *parts: str) -> Output | None:
        """Return the output whose name contains one of these texts: the first text that matches.

        Of several, the shortest name is meant: `detection_boxes`, not `raw_detection_boxes`.
        """
        for part in parts:
            found = [each for each in self.outputs if part in each.name.lower()]
            if found:
                return min(found, key=lambda each: len(each.name))
        return None


def probe(
    graph: Graph, picture: Picture, size_wh: tuple[int, int], constants: Mapping[str, Any]
) -> Probe:
    """Run the model on both pictures.

    Raises:
        ToolError: It does not run at this size, or returns no numbers.
    """
    width, height = size_wh
    with Image.open(STREET) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    street = np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    gray = np.full((height, width, 3), GRAY, np.uint8)
    runs = [graph.run(_feeds(graph, picture, image, constants)) for image in (gray, street)]
    batch = picture.port.shape[0] or 1
    outputs = [
        Output(port.name, *(_first(run[port.name], batch) for run in runs))
        for port in graph.outputs
    ]
    for output in outputs:
        if output.values.size and np.isnan(output.values).all():
            raise ToolError(
                f"output {output.name} is NaN for every picture. Export the model in float32; if "
                "it is NaN then, train it again"
            )
    return Probe(size_wh, tuple(outputs))


def _first(values: Tensor, batch: int) -> Tensor:
    """Return the first picture's part of a fixed batch, with a first axis of 1."""
    return values[:1] if batch > 1 and values.ndim and len(values) == batch else values


def takes_two(
    graph: Graph, picture: Picture, size_wh: tuple[int, int], constants: Mapping[str, Any]
) -> bool:
    """Return whether the model returns two rows for two pictures, as a dynamic axis promises."""
    image = np.full((size_wh[1], size_wh[0], 3), GRAY, np.uint8)
    try:
        answers = graph.run(_feeds(graph, picture, image, constants, count=2))
    except ToolError:
        return False
    return all(len(values) == 2 for values in answers.values())


def _feeds(
    graph: Graph,
    picture: Picture,
    image_rgb: NDArray[np.uint8],
    constants: Mapping[str, Any],
    count: int = 1,
) -> dict[str, Tensor]:
    planes = image_rgb if picture.layout == "NHWC" else image_rgb.transpose(2, 0, 1)
    count = max(count, picture.port.shape[0] or 1)
    tensor = np.repeat(planes[np.newaxis], count, axis=0)
    if picture.port.dtype == "int8":
        tensor = (tensor.astype(np.int16) - INT8_ZERO).astype(np.int8)
    elif picture.port.dtype != "uint8":
        tensor = (tensor / 255).astype(picture.port.dtype)
    height, width = image_rgb.shape[:2]
    feeds = blank_feeds(graph, picture.port.name, tensor, (width, height))
    for name, value in constants.items():
        feeds[name] = np.broadcast_to(np.array(value, feeds[name].dtype), feeds[name].shape).copy()
    return feeds
