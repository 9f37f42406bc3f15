"""Decoded boxes and class probabilities before suppression: YOLO-NAS, UltraFace.

https://github.com/Deci-AI/super-gradients and
https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB, ultra/nn/predictor.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.heads.outputs import best_class, suppressed
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections


@dataclass(frozen=True, slots=True)
class ScoredHead:
    """Boxes [1, n, 4] as x1, y1, x2, y2, and class probabilities [1, n, classes].

    Attributes:
        class_count: Number of classes, without the background.
        boxes: Name of the box output.
        scores: Name of the score output.
        normalized: Whether corners are in 0..1 instead of input pixels.
        background: Whether the first column of the scores is the background.
        nms_iou: IoU above which the lower-scored of two boxes of one class is dropped.
    """

    class_count: int
    boxes: str
    scores: str
    normalized: bool
    background: bool
    nms_iou: float

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> ScoredHead:
        """Read `boxes`, `scores`, `normalized`, `background` and `nms_iou`."""
        return cls(
            class_count,
            boxes=fields.text("boxes", "boxes"),
            scores=fields.text("scores", "scores"),
            normalized=fields.flag("normalized", False),
            background=fields.flag("background", False),
            nms_iou=fields.number("nms_iou", 0, 1, 0.7),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`. A box counts for its best class only."""
        boxes, scores = outputs[self.boxes], outputs[self.scores]
        count = boxes.shape[1] if boxes.ndim == 3 else 0
        columns = self.class_count + self.background
        if boxes.shape != (1, count, 4) or scores.shape != (1, count, columns):
            raise ValueError(
                f"The outputs have the shapes {boxes.shape} and {scores.shape}, expected "
                f"(1, boxes, 4) and (1, boxes, {columns}) for {self.class_count} classes."
            )
        probabilities = scores[0, :, int(self.background) :].astype(np.float32, copy=False)
        class_ids, best = best_class(probabilities)
        found = np.flatnonzero(best >= threshold)
        boxes_xyxy = boxes[0, found].astype(np.float32, copy=False)
        if self.normalized:
            boxes_xyxy = boxes_xyxy * np.array([*input_wh, *input_wh], dtype=np.float32)
        return suppressed(boxes_xyxy, best[found], class_ids[found], self.nms_iou)
