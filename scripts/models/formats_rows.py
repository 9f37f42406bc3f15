"""Recognise formats with one output of rows or columns: the YOLO family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.models.formats import Field, Format, Model, are_normalized, cell_count, make_format
from scripts.models.graph import metadata_value

YOLO_STRIDES = (8, 16, 32)
YOLOV5_ANCHORS = 3
MAX_FINISHED_ROWS = 1000
"""End-to-end exports return some hundred boxes; grids have thousands of cells."""
MAX_LOG_SIZE = 10
"""Raw sizes are logarithms of at most some hundred strides; decoded ones are pixels."""
MASK_COEFFICIENTS = 32
CORNERS = ("x1", "y1", "x2", "y2")
CENTRES = ("cx", "cy", "w", "h")
ULTRALYTICS = "Ultralytics"


@dataclass(frozen=True, slots=True)
class Grid:
    """The first output as a list of boxes.

    Attributes:
        rows: float64 [boxes, columns] of both runs, boxes first.
        count: Number of boxes in one run.
        columns: Number of columns.
        are_columns: Whether the output has the boxes in its last axis.
        is_plain: Whether the output has no batch axis.
    """

    rows: NDArray[np.float64]
    count: int
    columns: int
    are_columns: bool
    is_plain: bool


def rows_or_columns(model: Model) -> Format | str | None:
    """Distinguish the formats of one output [1, boxes, columns] or [1, columns, boxes]."""
    grid = read_grid(model)
    if grid is None:
        return None
    if is_transformer(model):
        return _transformer(model, grid)
    if (found := _finished(model, grid)) is not None:
        return found
    is_long = grid.count >= 2 * grid.columns or grid.count in grid_counts(model)
    if not is_long and model.labels is None:
        return None
    if grid.are_columns:
        return _without_objectness(model, grid)
    return _rows(model, grid)


def read_grid(model: Model) -> Grid | None:
    """Return the first output as a list of boxes, or None if it is none."""
    output = model.probe.outputs[0]
    shape = output.shape
    if len(shape) == 3 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) != 2 or 0 in shape or (min(shape) < 5 and shape[-1] not in (6, 7)):
        return None
    others = [each.shape for each in model.probe.outputs[1:]]
    if any(len(each) not in (1, 4, 5) for each in others):
        return None
    is_grid = shape[0] in grid_counts(model)
    are_columns = shape[0] < shape[1] and shape[1] not in (6, 7) and not is_grid
    if are_columns:
        runs = [
            np.asarray(run, np.float64).reshape(shape).T for run in (output.gray, output.street)
        ]
        return Grid(np.concatenate(runs), shape[1], shape[0], True, False)
    rows = output.values.reshape(-1, shape[1])
    return Grid(rows, shape[0], shape[1], False, len(output.shape) == 2)


def grid_counts(model: Model) -> tuple[int, int]:
    """Return the numbers of boxes of grids with one and with three anchors per cell."""
    cells = cell_count(model.probe.size_wh, YOLO_STRIDES)
    return cells, YOLOV5_ANCHORS * cells


def is_transformer(model: Model) -> bool:
    """Return whether the metadata names Ultralytics' RT-DETR."""
    head = str(metadata_value(model.graph, "head") or "")
    description = str(metadata_value(model.graph, "description") or "")
    return "RTDETR" in head.upper() or "RTDETR" in description.upper().replace("-", "")


def _transformer(model: Model, grid: Grid) -> Format:
    reason = "Ultralytics' RT-DETR: cx, cy, w, h of 0..1"
    columns = [*CENTRES, "score", "class"]
    if grid.columns == len(columns) and _fits(grid, columns):
        return make_format(
            "rows", "rtdetr", reason, None,
            ("columns", columns, "its recent exports"), ("normalized", True, reason),
        )  # fmt: skip
    return make_format(
        "yolov8", "rtdetr", f"{reason}, and a probability per class", grid.columns - 4,
        ("normalized", True, reason),
        ("nms_iou", 1, "a transformer needs no suppression"),
    )  # fmt: skip


def _finished(model: Model, grid: Grid) -> Format | None:
    """Rows of corners, score and class, after suppression."""
    if grid.are_columns or grid.columns not in (6, 7) or grid.count > MAX_FINISHED_ROWS:
        return None
    if grid.count in grid_counts(model):
        return None
    is_batch = any(len(port.shape) == 4 and port.shape[0] is None for port in model.graph.inputs)
    # [n, 7] of n pictures is a classifier's; [n, 7] of one picture is a list of boxes.
    if grid.is_plain and len(model.probe.outputs) == 1 and (is_batch or grid.count == 1):
        return None
    if grid.columns == 7:
        columns, like = ["batch", *CORNERS, "class", "score"], "YOLOv7's end-to-end export"
    elif len(model.probe.outputs) > 1:
        columns, like = ["class", "score", *CORNERS], "PaddleDetection with its NMS"
    else:
        columns, like = [*CORNERS, "score", "class"], "YOLOv10, or Ultralytics with nms=True"
    if not _fits(grid, columns):
        return None
    corners = grid.rows[:, [columns.index(name) for name in CORNERS]]
    family = "paddle" if columns[0] == "class" else "ultralytics"
    return make_format(
        "rows", family, f"rows of {grid.columns} after suppression: {like}", None,
        *_predictions(model),
        ("columns", columns, like),
        ("normalized", are_normalized(corners) or None, "coordinates are in 0..1"),
    )  # fmt: skip


def _fits(grid: Grid, columns: list[str]) -> bool:
    """Return whether classes are whole numbers and scores are in 0..1."""
    classes, scores = (grid.rows[:, columns.index(name)] for name in ("class", "score"))
    is_whole = bool(np.all(np.abs(classes - np.round(classes)) < 1e-3))
    return is_whole and bool(scores.min(initial=0) >= -1 and scores.max(initial=0) <= 1)


def _without_objectness(model: Model, grid: Grid, *, turned: bool = False) -> Format | str:
    """YOLOv8 and later: cx, cy, w, h and a probability per class."""
    task, ignored = _task(model, grid.columns - 4)
    if isinstance(task, str) and task == "obb":
        return "it finds oriented boxes, which this API does not support"
    classes = grid.columns - 4 - ignored
    axis = "rows" if turned else "columns"
    fields: list[Field] = [("ignored", ignored or None, f"the coefficients of a {task} model")]
    return make_format(
        "yolov8", "ultralytics",
        f"{grid.count} {axis} of a box and {classes} classes; YOLOv8 has no objectness", classes,
        *_predictions(model), *fields,
        ("normalized", are_normalized(grid.rows[:, :4]) or None, "coordinates are in 0..1"),
    )  # fmt: skip


def _rows(model: Model, grid: Grid) -> Format | str | None:
    """Rows with an objectness: YOLOv5 to v7, YOLOX; or a transposed YOLOv8."""
    if model.labels is not None and len(model.labels) == grid.columns - 4:
        return _without_objectness(model, grid, turned=True)
    if grid.columns < 6:
        return None
    is_one_per_cell = grid.count == grid_counts(model)[0]
    sizes = grid.rows[:, 2:4]
    is_raw = np.abs(sizes).max() <= MAX_LOG_SIZE
    task, ignored = _task(model, grid.columns - 5)
    classes = grid.columns - 5 - ignored
    if is_raw and is_one_per_cell:
        return make_format(
            "yolox", "yolox",
            f"{grid.count} rows are the cells of strides 8, 16 and 32; sizes are logarithms",
            classes, ("strides", list(YOLO_STRIDES), "their cells sum to the number of rows"),
        )  # fmt: skip
    is_yolov6 = bool(np.all(grid.rows[:, 4] == 1))
    family = "yolox" if is_one_per_cell and not is_yolov6 else "ultralytics"
    like = (
        "YOLOv6, whose objectness is always 1"
        if is_yolov6
        else "YOLOX with decode_in_inference"
        if is_one_per_cell
        else "YOLOv5 or YOLOv7"
    )
    return make_format(
        "yolov5", family, f"{grid.count} decoded rows with an objectness: {like}", classes,
        *_predictions(model),
        ("ignored", ignored or None, f"the coefficients of a {task} model"),
    )  # fmt: skip


def _task(model: Model, columns: int) -> tuple[str | None, int]:
    """Return a task other than detection, and the number of columns after the classes."""
    task = metadata_value(model.graph, "task")
    known = None if model.labels is None else len(model.labels)
    has_masks = any(
        len(each.shape) == 4 and each.shape[1] == MASK_COEFFICIENTS
        for each in model.probe.outputs[1:]
    )
    if task == "obb":
        return "obb", 1
    if task == "segment" or has_masks:
        return "segmentation", MASK_COEFFICIENTS
    if task == "pose" and known is not None:
        return "pose", columns - known
    return None, 0


def _predictions(model: Model) -> list[Field]:
    """Return the name of the first output, if there are several."""
    if len(model.probe.outputs) == 1:
        return []
    return [("predictions", model.probe.outputs[0].name, "the first of several outputs")]
