"""YOLOv8, v9 and 11 as Ultralytics exports them: decoded columns without objectness.

https://github.com/ultralytics/ultralytics, ultralytics/nn/modules/head.py (class Detect) and
ultralytics/utils/nms.py (non_max_suppression).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.geometry import to_corners
from inference.heads.outputs import best_class, pick, suppressed
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

BOX_ROWS = 4


@dataclass(frozen=True, slots=True)
class Yolov8Head:
    """One output [1, 4 + classes, n]: cx, cy, w, h in input pixels, class probabilities.

    Attributes:
        class_count: Number of classes.
        predictions: Name of the output; None for the model's only output.
        nms_iou: IoU above which the lower-scoring of two boxes of one class is dropped.
    """

    class_count: int
    predictions: str | None
    nms_iou: float

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> Yolov8Head:
        """Read `predictions` and `nms_iou`."""
        return cls(
            class_count,
            predictions=fields.optional_text("predictions"),
            nms_iou=fields.number("nms_iou", 0, 1, 0.7),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`. A column yields its best class only, as in Ultralytics' predictor."""
        output = pick(outputs, self.predictions)
        rows = BOX_ROWS + self.class_count
        if output.ndim != 3 or output.shape[:2] != (1, rows):
            raise ValueError(
                f"The output has shape {output.shape}. YOLOv8 with {self.class_count} classes "
                f"has (1, {rows}, boxes)."
            )
        columns = output[0].astype(np.float32, copy=False)
        class_ids, scores = best_class(columns[BOX_ROWS:].T)
        found = np.flatnonzero(scores >= threshold)
        boxes_xyxy = to_corners(columns[:BOX_ROWS, found].T)
        return suppressed(boxes_xyxy, scores[found], class_ids[found], self.nms_iou)
