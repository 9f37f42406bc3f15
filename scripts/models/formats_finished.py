"""Recognise rows after suppression, which need no grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scripts.models.formats import Format, Model, are_normalized, make_format
from scripts.models.graph import metadata_value
from scripts.models.grid import (
    FINISHED_COLUMNS,
    MAX_FINISHED_ROWS,
    Grid,
    grid_counts,
    has_finished_start,
    predictions,
)

CORNERS = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class FinishedRows:
    """Rows after suppression, as an exporter writes them.

    Attributes:
        columns: Column names in order.
        family: Name of the preprocessing that the exporter uses.
        like: The exporter.
    """

    columns: tuple[str, ...]
    family: str
    like: str


YOLOV7_ROWS = FinishedRows(
    ("batch", *CORNERS, "class", "score"), "ultralytics", "YOLOv7's end-to-end export"
)
YOLONAS_ROWS = FinishedRows(
    ("batch", *CORNERS, "score", "class"), "yolonas", "YOLO-NAS with flat predictions"
)
PADDLE_ROWS = FinishedRows(("class", "score", *CORNERS), "paddle", "PaddleDetection with its NMS")
YOLOV10_ROWS = FinishedRows(
    (*CORNERS, "score", "class"), "ultralytics", "YOLOv10, or Ultralytics with nms=True"
)


def finished(model: Model, grid: Grid) -> Format | None:
    """Rows of corners, score and class, after suppression."""
    if grid.boxes_last or grid.count > MAX_FINISHED_ROWS or grid.count in grid_counts(model):
        return None
    if grid.columns not in FINISHED_COLUMNS:
        return _finished_with_more(model, grid)
    is_batch = any(len(port.shape) == 4 and port.shape[0] is None for port in model.graph.inputs)
    has_one_output = len(model.probe.outputs) == 1
    # [n, 7] of n pictures is a classifier's; [n, 7] of one picture is a list of boxes.
    if not grid.has_batch_axis and has_one_output and (is_batch or grid.count == 1):
        return None
    if grid.columns == len(YOLOV7_ROWS.columns):
        is_flat = "flat_predictions" in model.probe.outputs[0].name
        rows = YOLONAS_ROWS if is_flat else YOLOV7_ROWS
    elif has_one_output:
        rows = YOLOV10_ROWS
    else:
        rows = PADDLE_ROWS
    count = next((port.shape[0] for port in model.graph.inputs if len(port.shape) == 4), 1) or 1
    if not fits(grid, rows.columns, count):
        return None
    corners = grid.rows[:, [rows.columns.index(name) for name in CORNERS]]
    return make_format(
        "rows", rows.family, f"rows of {grid.columns} after suppression: {rows.like}", None,
        *predictions(model),
        ("columns", list(rows.columns), rows.like),
        ("normalized", are_normalized(corners) or None, "coordinates are in 0..1"),
    )  # fmt: skip


def _finished_with_more(model: Model, grid: Grid) -> Format | None:
    """Rows of corners, score and class, and then the values of a segmentation or a pose."""
    task = metadata_value(model.graph, "task")
    is_end_to_end = metadata_value(model.graph, "end2end") in (True, "True")
    is_known = task in ("segment", "pose") and is_end_to_end
    if not is_known and not has_finished_start(model.probe.outputs[0]):
        return None
    more = grid.columns - len(YOLOV10_ROWS.columns)
    return make_format(
        "rows", "ultralytics", f"rows of {grid.columns} after suppression: {YOLOV10_ROWS.like}",
        None, *predictions(model),
        ("columns", list(YOLOV10_ROWS.columns), YOLOV10_ROWS.like),
        ("ignored", more, f"the {more} values of a {task or 'segmentation or pose'} model"),
    )  # fmt: skip


def fits(grid: Grid, columns: tuple[str, ...], pictures: int = 1) -> bool:
    """Return whether classes are whole numbers, scores are in 0..1, and pictures exist."""
    if "batch" in columns and not set(grid.rows[:, columns.index("batch")]) <= set(range(pictures)):
        return False
    classes, scores = (grid.rows[:, columns.index(name)] for name in ("class", "score"))
    is_whole = bool(np.all(np.abs(classes - np.round(classes)) < 1e-3))
    return is_whole and bool(scores.min(initial=0) >= -1 and scores.max(initial=0) <= 1)
