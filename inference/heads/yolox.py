"""YOLOX: a grid of raw predictions, one row per cell (Ge et al. 2021, arXiv 2107.08430)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inference.heads.outputs import best_class, suppressed
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

BOX_COLUMNS = 4
OBJECTNESS_COLUMN = 4
FIRST_CLASS_COLUMN = 5

GRIDS = 32
"""Grids in the cache: images have few aspect ratios."""


@dataclass(frozen=True, slots=True)
class YoloxHead:
    """One output [1, cells, 5 + classes]: cx, cy, w, h, objectness, class scores.

    The center is relative to the cell and the size is a logarithm, both in units of the cell's
    stride. Objectness and class scores are probabilities. Cells are ordered by stride, then by
    row.

    Attributes:
        class_count: Number of classes.
        strides: Cell sizes in input pixels, in the order of the output.
        nms_iou: IoU above which the lower-scoring of two boxes of one class is dropped.
    """

    class_count: int
    strides: tuple[int, ...]
    nms_iou: float

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> YoloxHead:
        """Read `strides` and `nms_iou`."""
        return cls(class_count, fields.integers("strides"), fields.number("nms_iou", 0, 1, 0.45))

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`. A cell yields its best class only, as in YOLOX's demo."""
        (output,) = outputs.values()
        cells, strides = make_grid(input_wh, self.strides)
        if output.shape != (1, len(cells), FIRST_CLASS_COLUMN + self.class_count):
            raise ValueError(
                f"The output has shape {output.shape}. A YOLOX grid of {self.class_count} classes "
                f"and strides {self.strides} has {(1, len(cells), 5 + self.class_count)}."
            )
        rows = output[0].astype(np.float32, copy=False)
        class_ids, class_scores = best_class(rows[:, FIRST_CLASS_COLUMN:])
        scores = rows[:, OBJECTNESS_COLUMN] * class_scores
        found = np.flatnonzero(scores >= threshold)
        box = rows[found, :BOX_COLUMNS]
        centre = (box[:, :2] + cells[found]) * strides[found]
        half_size = np.exp(box[:, 2:]) * strides[found] / 2
        boxes_xyxy = np.concatenate([centre - half_size, centre + half_size], axis=1)
        return suppressed(boxes_xyxy, scores[found], class_ids[found], self.nms_iou)


@lru_cache(maxsize=GRIDS)
def make_grid(
    input_wh: tuple[int, int], strides: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return column, row and stride of every cell; cached by size.

    Returns:
        float32 [cells, 2] (x, y in cells) and float32 [cells, 1] (input pixels per cell), both
        read-only.
    """
    width, height = input_wh
    cells, cell_strides = [], []
    for stride in strides:
        columns, rows = -(-width // stride), -(-height // stride)
        y, x = np.divmod(np.arange(rows * columns, dtype=np.int64), columns)
        cells.append(np.stack([x, y], axis=1).astype(np.float32))
        cell_strides.append(np.full((rows * columns, 1), stride, dtype=np.float32))
    grid = (np.concatenate(cells), np.concatenate(cell_strides))
    for array in grid:
        array.flags.writeable = False
    return grid
