"""Finished detections as rows of one output: the model needs no suppression after it.

YOLOv10 (Wang et al. 2024, arXiv 2405.14458) and Ultralytics' exports with `nms=True` give x1, y1,
x2, y2, score, class; PaddleDetection gives class, score, x1, y1, x2, y2; YOLOv7's end-to-end
export has the image's index in the batch before the box.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.geometry import to_corners
from inference.heads.outputs import MAX_IGNORED, pick, to_class_ids
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

CORNERS = ("x1", "y1", "x2", "y2")
CENTRES = ("cx", "cy", "w", "h")
NEEDED = [frozenset({*box, "score", "class"}) for box in (CORNERS, CENTRES)]
BATCH = "batch"
DEFAULT_COLUMNS = (*CORNERS, "score", "class")


@dataclass(frozen=True, slots=True)
class RowsHead:
    """One output [n, columns] or [1, n, columns]; rows without an object have a score of 0.

    Attributes:
        class_count: Number of classes; rows of other classes (-1 for padding) are dropped.
        predictions: Name of the output; None for the model's only output.
        columns: Column names in order: `x1`, `y1`, `x2`, `y2` or `cx`, `cy`, `w`, `h`; `score`,
            `class` and `batch`.
        ignored: Number of columns after these: those of a segmentation or a pose.
        first_class: Id of the first label; some exports count from 1.
        normalized: True if corners are in 0..1, False if they are in input pixels.
    """

    class_count: int
    predictions: str | None
    columns: tuple[str, ...]
    normalized: bool
    ignored: int = 0
    first_class: int = 0

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> RowsHead:
        """Read `predictions`, `columns`, `normalized`, `ignored` and `first_class`."""
        columns = fields.texts("columns") if fields.has("columns") else DEFAULT_COLUMNS
        if len(set(columns)) != len(columns) or set(columns) - {BATCH} not in NEEDED:
            raise fields.refuse(
                "columns", f"a list of {', '.join(DEFAULT_COLUMNS)}, in the order of the model"
            )
        return cls(
            class_count,
            predictions=fields.optional_text("predictions"),
            columns=columns,
            normalized=fields.flag("normalized", False),
            ignored=fields.integer("ignored", 0, MAX_IGNORED, 0),
            first_class=fields.integer("first_class", 0, 1, 0),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`."""
        output = pick(outputs, self.predictions)
        is_batch_of_one = output.ndim == 3 and output.shape[0] == 1
        rows = output[0] if is_batch_of_one else output
        if rows.ndim != 2 or rows.shape[1] != len(self.columns) + self.ignored:
            raise ValueError(
                f"The output has shape {output.shape}. Its rows must have the "
                f"{len(self.columns)} columns {', '.join(self.columns)}, and {self.ignored} others."
            )
        column = {name: rows[:, i].astype(np.float32) for i, name in enumerate(self.columns)}
        box = CORNERS if "x1" in column else CENTRES
        boxes_xyxy = np.stack([column[name] for name in box], axis=1)
        if box is CENTRES:
            boxes_xyxy = to_corners(boxes_xyxy)
        if self.normalized:
            boxes_xyxy = boxes_xyxy * np.array([*input_wh, *input_wh], dtype=np.float32)
        class_ids = to_class_ids(column["class"] - self.first_class, self.class_count)
        found = (column["score"] >= threshold) & (class_ids >= 0)
        if BATCH in column:
            # A model of a fixed batch gets copies of the picture after the first one.
            found &= column[BATCH] == 0
        return RawDetections(boxes_xyxy[found], column["score"][found], class_ids[found])
