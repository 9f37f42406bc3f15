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
BOX_COLUMNS = 4
BOX_AND_OBJECTNESS = 5


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
PADDLE_ROWS = FinishedRows(("class", "score", *CORNERS), "paddle", "PaddleDetection with its NMS")
YOLOV10_ROWS = FinishedRows(
    (*CORNERS, "score", "class"), "ultralytics", "YOLOv10, or Ultralytics with nms=True"
)
FINISHED_COLUMNS = {len(each.columns) for each in (YOLOV7_ROWS, PADDLE_ROWS, YOLOV10_ROWS)}


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
    if grid.boxes_last:
        return _without_objectness(model, grid)
    return _rows(model, grid)


def read_grid(model: Model) -> Grid | None:
    """Return the first output as a list of boxes, or None if it is none."""
    output = model.probe.outputs[0]
    shape = output.shape
    if len(shape) == 3 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) != 2 or 0 in shape:
        return None
    are_finished = shape[1] in FINISHED_COLUMNS
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


def is_transformer(model: Model) -> bool:
    """Return whether the metadata names Ultralytics' RT-DETR."""
    head = str(metadata_value(model.graph, "head") or "")
    description = str(metadata_value(model.graph, "description") or "")
    return "RTDETR" in head.upper() or "RTDETR" in description.upper().replace("-", "")


def _transformer(model: Model, grid: Grid) -> Format:
    reason = "Ultralytics' RT-DETR: cx, cy, w, h of 0..1"
    columns = (*CENTRES, "score", "class")
    if grid.columns == len(columns) and _fits(grid, columns):
        return make_format(
            "rows", "rtdetr", reason, None,
            ("columns", list(columns), "its recent exports"), ("normalized", True, reason),
        )  # fmt: skip
    return make_format(
        "yolov8", "rtdetr", f"{reason}, and a probability per class", grid.columns - BOX_COLUMNS,
        ("normalized", True, reason),
        ("nms_iou", 1, "a transformer needs no suppression"),
    )  # fmt: skip


def _finished(model: Model, grid: Grid) -> Format | None:
    """Rows of corners, score and class, after suppression."""
    if grid.boxes_last or grid.columns not in FINISHED_COLUMNS or grid.count > MAX_FINISHED_ROWS:
        return None
    if grid.count in grid_counts(model):
        return None
    is_batch = any(len(port.shape) == 4 and port.shape[0] is None for port in model.graph.inputs)
    has_one_output = len(model.probe.outputs) == 1
    # [n, 7] of n pictures is a classifier's; [n, 7] of one picture is a list of boxes.
    if not grid.has_batch_axis and has_one_output and (is_batch or grid.count == 1):
        return None
    if grid.columns == len(YOLOV7_ROWS.columns):
        rows = YOLOV7_ROWS
    elif has_one_output:
        rows = YOLOV10_ROWS
    else:
        rows = PADDLE_ROWS
    if not _fits(grid, rows.columns):
        return None
    corners = grid.rows[:, [rows.columns.index(name) for name in CORNERS]]
    return make_format(
        "rows", rows.family, f"rows of {grid.columns} after suppression: {rows.like}", None,
        *_predictions(model),
        ("columns", list(rows.columns), rows.like),
        ("normalized", are_normalized(corners) or None, "coordinates are in 0..1"),
    )  # fmt: skip


def _fits(grid: Grid, columns: tuple[str, ...]) -> bool:
    """Return whether classes are whole numbers and scores are in 0..1."""
    classes, scores = (grid.rows[:, columns.index(name)] for name in ("class", "score"))
    is_whole = bool(np.all(np.abs(classes - np.round(classes)) < 1e-3))
    return is_whole and bool(scores.min(initial=0) >= -1 and scores.max(initial=0) <= 1)


def _without_objectness(model: Model, grid: Grid, *, turned: bool = False) -> Format | str:
    """YOLOv8 and later: cx, cy, w, h and a probability per class."""
    task, ignored = _task(model, grid.columns - BOX_COLUMNS)
    if isinstance(task, str) and task == "obb":
        return "it finds oriented boxes, which this API does not support"
    classes = grid.columns - BOX_COLUMNS - ignored
    boxes_cxcywh = grid.rows[:, :BOX_COLUMNS]
    axis = "rows" if turned else "columns"
    fields: list[Field] = [("ignored", ignored or None, f"the coefficients of a {task} model")]
    return make_format(
        "yolov8", "ultralytics",
        f"{grid.count} {axis} of a box and {classes} classes; YOLOv8 has no objectness", classes,
        *_predictions(model), *fields,
        ("normalized", are_normalized(boxes_cxcywh) or None, "coordinates are in 0..1"),
    )  # fmt: skip


def _rows(model: Model, grid: Grid) -> Format | str | None:
    """Rows with an objectness: YOLOv5 to v7, YOLOX; or a transposed YOLOv8."""
    if model.labels is not None and len(model.labels) == grid.columns - BOX_COLUMNS:
        return _without_objectness(model, grid, turned=True)
    if grid.columns <= BOX_AND_OBJECTNESS:
        return None
    is_one_per_cell = grid.count == grid_counts(model)[0]
    sizes = grid.rows[:, 2:4]
    is_raw = np.abs(sizes).max() <= MAX_LOG_SIZE
    task, ignored = _task(model, grid.columns - BOX_AND_OBJECTNESS)
    classes = grid.columns - BOX_AND_OBJECTNESS - ignored
    if is_raw and is_one_per_cell:
        return make_format(
            "yolox", "yolox",
            f"{grid.count} rows are the cells of strides 8, 16 and 32; sizes are logarithms",
            classes, ("strides", list(YOLO_STRIDES), "their cells sum to the number of rows"),
        )  # fmt: skip
    if np.all(grid.rows[:, BOX_COLUMNS] == 1):
        family, like = "ultralytics", "YOLOv6, whose objectness is always 1"
    elif is_one_per_cell:
        family, like = "yolox", "YOLOX with decode_in_inference"
    else:
        family, like = "ultralytics", "YOLOv5 or YOLOv7"
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
