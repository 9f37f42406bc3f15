"""YOLOv8, v9 and 11 as Ultralytics exports them: decoded columns without objectness.

https://github.com/ultralytics/ultralytics, ultralytics/nn/modules/head.py (class Detect) and
ultralytics/utils/nms.py (non_max_suppression).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.geometry import to_corners
from inference.heads.outputs import MAX_IGNORED, best_class, pick, suppressed
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

BOX_ROWS = 4


@dataclass(frozen=True, slots=True)
class Yolov8Head:
    """One output [1, 4 + classes, n], or transposed: a box and its class probabilities.

    Attributes:
        class_count: Number of classes.
        predictions: Name of the output; None for the model's only output.
        nms_iou: IoU above which the lower-scoring of two boxes of one class is dropped.
        ignored: Number of values after the classes: those of a segmentation or a pose.
        normalized: True if boxes are in 0..1, False if they are in input pixels.
        corners: True if boxes are x1, y1, x2, y2, False if they are cx, cy, w, h.
    """

    class_count: int
    predictions: str | None
    nms_iou: float
    ignored: int = 0
    normalized: bool = False
    corners: bool = False

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> Yolov8Head:
        """Read `predictions`, `nms_iou`, `ignored`, `normalized` and `corners`."""
        return cls(
            class_count,
            predictions=fields.optional_text("predictions"),
            nms_iou=fields.number("nms_iou", 0, 1, 0.7),
            ignored=fields.integer("ignored", 0, MAX_IGNORED, 0),
            normalized=fields.flag("normalized", False),
            corners=fields.flag("corners", False),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`. A column yields its best class only, as in Ultralytics' predictor."""
        output = pick(outputs, self.predictions)
        end = BOX_ROWS + self.class_count
        size = end + self.ignored
        if output.ndim != 3 or output.shape[0] != 1 or size not in output.shape[1:]:
            raise ValueError(
                f"The output has shape {output.shape}. YOLOv8 with {self.class_count} classes "
                f"has (1, {size}, boxes) or (1, boxes, {size})."
            )
        columns = (output[0] if output.shape[1] == size else output[0].T).astype(
            np.float32, copy=False
        )
        class_ids, scores = best_class(columns[BOX_ROWS:end].T)
        found = np.flatnonzero(scores >= threshold)
        boxes = columns[:BOX_ROWS, found].T
        boxes_xyxy = boxes if self.corners else to_corners(boxes)
        if self.normalized:
            boxes_xyxy = boxes_xyxy * np.array([*input_wh, *input_wh], dtype=np.float32)
        return suppressed(boxes_xyxy, scores[found], class_ids[found], self.nms_iou)
