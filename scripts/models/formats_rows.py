"""Recognise formats with one output of rows or columns: the YOLO family."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scripts.models.formats import Field, Format, Model, are_normalized, cell_count, make_format
from scripts.models.formats_finished import finished, fits
from scripts.models.graph import metadata_labels, metadata_value
from scripts.models.grid import (
    BOX_COLUMNS,
    YOLO_STRIDES,
    Grid,
    grid_counts,
    predictions,
    read_grid,
)

MAX_LOG_SIZE = 10
"""Raw sizes are logarithms of at most some hundred strides; decoded ones are pixels."""
SCORE_TOLERANCE = 0.02
MASK_COEFFICIENTS = 32
HUMAN_POINTS = 51
"""Columns of the 17 key points of COCO."""
POINT_COLUMNS = 3
"""x, y and visibility of a key point."""
CENTRES = ("cx", "cy", "w", "h")
BOX_AND_OBJECTNESS = 5
EDGES = 4
NANODET_EDGES = 32
"""Columns of 4 edges with distances of 0 to 7 strides."""
NANODET_GRIDS = {(8, 16, 32): 0.5, (8, 16, 32, 64): 0.0}
"""Strides of NanoDet and NanoDet-Plus -> point of a cell that distances start from."""
CORNER_SHARE = 0.9
"""Share of boxes whose second point is right of and below the first one. Wide boxes around a
centre near the top left fit, too, but few of a picture's cells are there."""


def raw_grids(model: Model) -> str | None:
    """Refuse the grids of several strides, as a head without its decoding returns them."""
    width, height = model.probe.size_wh
    grids = {(height // stride, width // stride) for stride in (8, 16, 32, 64)}
    found = [
        grids & {each.shape[1:3], each.shape[2:4]}
        for each in model.probe.outputs
        if len(each.shape) in (4, 5)
    ]
    # Class outputs [1, classes, 1, 1] of a small input are alike; grids are not.
    is_per_stride = 1 < len(model.probe.outputs) == len(found) == len(set().union(*found))
    if not is_per_stride or not all(found):
        return None
    return (
        "its outputs are raw grids, one for each stride, and their anchors are unknown. "
        "Export the model with the decoding of its head, such as YOLOv7 with --grid"
    )


def rows_or_columns(model: Model) -> Format | str | None:
    """Distinguish the formats of one output [1, boxes, columns] or [1, columns, boxes]."""
    grid = read_grid(model)
    if grid is None:
        return None
    if is_transformer(model):
        return _transformer(model, grid)
    if (found := nanodet(model, grid) or finished(model, grid)) is not None:
        return found
    is_long = grid.count >= 2 * grid.columns or grid.count in grid_counts(model)
    if not is_long and metadata_labels(model.graph) is None:
        return None
    if grid.boxes_last:
        return _without_objectness(model, grid)
    return _rows(model, grid)


def nanodet(model: Model, grid: Grid) -> Format | None:
    """NanoDet: class probabilities and logits of edge distributions in the same row."""
    strides, centre = next(
        (
            (strides, centre)
            for strides, centre in NANODET_GRIDS.items()
            if grid.count == cell_count(model.probe.size_wh, strides)
        ),
        (None, 0.0),
    )
    classes = grid.columns - NANODET_EDGES if model.labels is None else len(model.labels)
    edges = grid.columns - classes
    if strides is None or grid.boxes_last or classes < 1 or edges < EDGES or edges % EDGES:
        return None
    if _not_scores(grid.rows[:, :classes]) or not _not_scores(grid.rows[:, classes:]):
        return None
    return make_format(
        "picodet", "nanodet",
        f"{grid.count} rows of {classes} probabilities and {edges} logits, for strides {strides}",
        classes,
        ("predictions", model.probe.outputs[0].name, "classes and edges are in one output"),
        ("strides", list(strides), "their cells are the rows"),
        ("reg_max", edges // EDGES - 1, f"{edges} columns are 4 edges of {edges // EDGES}"),
        ("centre", centre, "NanoDet-Plus measures from a cell's corner, NanoDet from its centre"),
    )  # fmt: skip


def is_transformer(model: Model) -> bool:
    """Return whether the metadata names Ultralytics' RT-DETR."""
    head = str(metadata_value(model.graph, "head") or "")
    description = str(metadata_value(model.graph, "description") or "")
    return "RTDETR" in head.upper() or "RTDETR" in description.upper().replace("-", "")


def _transformer(model: Model, grid: Grid) -> Format:
    reason = "Ultralytics' RT-DETR: cx, cy, w, h of 0..1"
    columns = (*CENTRES, "score", "class")
    if grid.columns == len(columns) and fits(grid, columns):
        return make_format(
            "rows", "rtdetr", reason, None,
            ("columns", list(columns), "its recent exports"), ("normalized", True, reason),
        )  # fmt: skip
    return make_format(
        "yolov8", "rtdetr", f"{reason}, and a probability per class", grid.columns - BOX_COLUMNS,
        ("normalized", True, reason),
        ("nms_iou", 1, "a transformer needs no suppression"),
    )  # fmt: skip


def _without_objectness(model: Model, grid: Grid, *, turned: bool = False) -> Format | str:
    """YOLOv8 and later: cx, cy, w, h and a probability per class."""
    task, ignored = _task(model, grid.rows[:, BOX_COLUMNS:])
    if isinstance(task, str) and task == "obb":
        return "it finds oriented boxes, which this API does not support"
    classes = grid.columns - BOX_COLUMNS - ignored
    if refusal := _not_scores(grid.rows[:, BOX_COLUMNS : BOX_COLUMNS + classes]):
        return refusal
    boxes = grid.rows[:, :BOX_COLUMNS]
    axis = "rows" if turned else "columns"
    are_corners = _are_corners(model, boxes)
    fields: list[Field] = [
        ("ignored", ignored or None, f"the coefficients of a {task} model"),
        ("corners", are_corners or None, "its second point is right of and below the first"),
    ]
    return make_format(
        "yolov8", "ultralytics",
        f"{grid.count} {axis} of a box and {classes} classes; YOLOv8 has no objectness", classes,
        *predictions(model), *fields,
        ("normalized", are_normalized(boxes) or None, "coordinates are in 0..1"),
    )  # fmt: skip


def _are_corners(model: Model, boxes: NDArray[np.float64]) -> bool:
    """Return whether boxes [n, 4] are x1, y1, x2, y2 instead of cx, cy, w, h."""
    if metadata_value(model.graph, "author") == "Ultralytics":
        return False
    width, height = (1, 1) if are_normalized(boxes) else model.probe.size_wh
    x1, y1, x2, y2 = boxes.T
    covers = bool(x1.max() > width / 2 and y1.max() > height / 2)
    return covers and float(((x2 > x1) & (y2 > y1)).mean()) >= CORNER_SHARE


def _rows(model: Model, grid: Grid) -> Format | str | None:
    """Rows with an objectness: YOLOv5 to v7, YOLOX; or a transposed YOLOv8."""
    if model.labels is not None and len(model.labels) == grid.columns - BOX_COLUMNS:
        return _without_objectness(model, grid, turned=True)
    if grid.columns <= BOX_AND_OBJECTNESS:
        return None
    is_one_per_cell = grid.count == grid_counts(model)[0]
    sizes = grid.rows[:, 2:4]
    is_raw = np.abs(sizes).max() <= MAX_LOG_SIZE
    task, ignored = _task(model, grid.rows[:, BOX_AND_OBJECTNESS:])
    classes = grid.columns - BOX_AND_OBJECTNESS - ignored
    if refusal := _not_scores(grid.rows[:, BOX_COLUMNS : BOX_AND_OBJECTNESS + classes]):
        return refusal
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
        *predictions(model),
        ("ignored", ignored or None, f"the coefficients of a {task} model"),
    )  # fmt: skip


def _not_scores(columns: NDArray[np.float64]) -> str | None:
    """Return why columns cannot be probabilities, or None if they can."""
    lowest, highest = float(columns.min(initial=0)), float(columns.max(initial=0))
    if lowest >= -SCORE_TOLERANCE and highest <= 1 + SCORE_TOLERANCE:
        return None
    return (
        f"its scores reach from {lowest:.2f} to {highest:.2f}, so they are no probabilities. "
        "Export the model with the sigmoid and the decoding of its head"
    )


def _task(model: Model, rows: NDArray[np.float64]) -> tuple[str | None, int]:
    """Return a task other than detection, and the number of columns after the classes.

    Args:
        model: The model.
        rows: The columns after the box and the objectness.
    """
    columns = rows.shape[1]
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
    if known is not None and columns - known == HUMAN_POINTS:
        return "pose", HUMAN_POINTS
    if (points := _key_points(rows)) and known in (None, columns - points):
        return "pose", points
    return None, 0


def _key_points(rows: NDArray[np.float64]) -> int:
    """Return the number of columns that cannot be probabilities, if they are last and in threes.

    Args:
        rows: The columns after the box.
    """
    if not rows.size:
        return 0
    beyond = np.flatnonzero((rows > 1).any(axis=0))
    points = rows.shape[1] - int(beyond[0]) if len(beyond) else 0
    return points if points % POINT_COLUMNS == 0 and points < rows.shape[1] else 0
