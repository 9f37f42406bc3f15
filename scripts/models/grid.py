"""The first output as a list of boxes, one per row or per column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.models.formats import Field, Model, cell_count
from scripts.models.probe import Output

YOLO_STRIDES = (8, 16, 32)
YOLOV5_ANCHORS = 3
BOX_COLUMNS = 4
FINISHED_COLUMNS = (6, 7)
"""Columns of a row after suppression: box, score, class, and with YOLOv7 the picture."""
MAX_FINISHED_ROWS = 1000
"""End-to-end exports return some hundred boxes; grids have thousands of cells."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The first output as a list of boxes.

    Attributes:
        rows: float64 [boxes, columns] of both runs, boxes first.
        count: Number of boxes in one run.
        columns: Number of columns.
        boxes_last: True if the output has the boxes in its last axis.
        has_batch_axis: True if the output has three axes.
    """

    rows: NDArray[np.float64]
    count: int
    columns: int
    boxes_last: bool
    has_batch_axis: bool


def read_grid(model: Model) -> Grid | None:
    """Return the first output as a list of boxes, or None if it is none."""
    output = model.probe.outputs[0]
    shape = output.shape
    if len(shape) == 3 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) != 2 or 0 in shape:
        return None
    are_finished = shape[1] in FINISHED_COLUMNS or has_finished_start(output)
    if min(shape) <= BOX_COLUMNS and not are_finished:
        return None
    others = [each.shape for each in model.probe.outputs[1:]]
    if any(len(each) not in (1, 4, 5) for each in others):
        return None
    is_grid = shape[0] in grid_counts(model)
    boxes_last = shape[0] < shape[1] and not are_finished and not is_grid
    if boxes_last:
        columns, count = shape
        runs = [
            np.asarray(run, np.float64).reshape(shape).T for run in (output.gray, output.street)
        ]
        rows = np.concatenate(runs)
    else:
        count, columns = shape
        rows = output.values.reshape(-1, columns)
    return Grid(rows, count, columns, boxes_last, has_batch_axis=len(output.shape) == 3)


def grid_counts(model: Model) -> tuple[int, int]:
    """Return the numbers of boxes of grids with one and with three anchors per cell."""
    cells = cell_count(model.probe.size_wh, YOLO_STRIDES)
    return cells, YOLOV5_ANCHORS * cells


def has_finished_start(output: Output) -> bool:
    """Return whether rows start like finished ones and continue with masks or key points."""
    count, columns = output.shape[-2:]
    if not columns < count <= MAX_FINISHED_ROWS or columns <= max(FINISHED_COLUMNS):
        return False
    rows = output.rows()
    x1, y1, x2, y2, scores, classes = rows[:, : min(FINISHED_COLUMNS)].T
    are_corners = bool(np.all(x2 >= x1) and np.all(y2 >= y1))
    are_scores = bool(np.all((scores >= 0) & (scores <= 1))) and bool(scores.any())
    return are_corners and are_scores and bool(np.all(classes == np.round(classes)))


def predictions(model: Model) -> list[Field]:
    """Return the field with the name of the first output, if there are several."""
    if len(model.probe.outputs) == 1:
        return []
    return [("predictions", model.probe.outputs[0].name, "the first of several outputs")]
