"""YOLOv5, v6 and v7 as their repositories export them: decoded rows with objectness.

https://github.com/ultralytics/yolov5, models/yolo.py (class Detect) and utils/general.py
(non_max_suppression). https://github.com/WongKinYiu/yolov7 has the same format.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.geometry import to_corners
from inference.heads.outputs import MAX_IGNORED, best_class, pick, suppressed
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

BOX_COLUMNS = 4
OBJECTNESS_COLUMN = 4
FIRST_CLASS_COLUMN = 5


@dataclass(frozen=True, slots=True)
class Yolov5Head:
    """One output [1, n, 5 + classes]: cx, cy, w, h in input pixels, objectness, class scores.

    Objectness and class scores are probabilities; a row's score is their product.

    Attributes:
        class_count: Number of classes.
        predictions: Name of the output; None for the model's only output.
        nms_iou: IoU above which the lower-scoring of two boxes of one class is dropped.
        ignored: Number of columns after the classes: those of a segmentation.
    """

    class_count: int
    predictions: str | None
    nms_iou: float
    ignored: int = 0

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> Yolov5Head:
        """Read `predictions`, `nms_iou` and `ignored`."""
        return cls(
            class_count,
            predictions=fields.optional_text("predictions"),
            nms_iou=fields.number("nms_iou", 0, 1, 0.45),
            ignored=fields.integer("ignored", 0, MAX_IGNORED, 0),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`. A row yields its best class only, as in detect.py."""
        output = pick(outputs, self.predictions)
        end = FIRST_CLASS_COLUMN + self.class_count
        columns = end + self.ignored
        if output.ndim != 3 or output.shape[0] != 1 or output.shape[2] != columns:
            raise ValueError(
                f"The output has shape {output.shape}. YOLOv5 with {self.class_count} classes "
                f"has (1, boxes, {columns})."
            )
        rows = output[0].astype(np.float32, copy=False)
        class_ids, class_scores = best_class(rows[:, FIRST_CLASS_COLUMN:end])
        scores = rows[:, OBJECTNESS_COLUMN] * class_scores
        found = np.flatnonzero(scores >= threshold)
        boxes_xyxy = to_corners(rows[found, :BOX_COLUMNS])
        return suppressed(boxes_xyxy, scores[found], class_ids[found], self.nms_iou)
