"""SSD as TensorFlow's detection API exports it: the graph itself suppresses overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections


@dataclass(frozen=True, slots=True)
class SsdHead:
    """Boxes [1, n, 4] as y1, x1, y2, x2, classes [1, n], scores [1, n], count [1].

    Attributes:
        boxes: Name of the box output.
        classes: Name of the class output.
        scores: Name of the score output.
        count: Name of the output with the number of filled rows; None if all are filled.
        first_class: Id of the first label; some exports count from 1.
        normalized: True if corners are in 0..1, False if they are in input pixels.
    """

    boxes: str
    classes: str
    scores: str
    count: str | None
    first_class: int
    normalized: bool = True

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> SsdHead:
        """Read `boxes`, `classes`, `scores`, `count`, `first_class` and `normalized`."""
        return cls(
            boxes=fields.text("boxes"),
            classes=fields.text("classes"),
            scores=fields.text("scores"),
            count=fields.optional_text("count"),
            first_class=fields.integer("first_class", 0, 1, 0),
            normalized=fields.flag("normalized", True),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`."""
        width, height = input_wh if self.normalized else (1, 1)
        boxes_yxyx = outputs[self.boxes].reshape(-1, 4).astype(np.float32, copy=False)
        filled = len(boxes_yxyx) if self.count is None else int(outputs[self.count].reshape(-1)[0])
        scores = outputs[self.scores].reshape(-1)[:filled].astype(np.float32, copy=False)
        class_ids = outputs[self.classes].reshape(-1)[:filled].astype(np.int64) - self.first_class
        scale = np.array([width, height, width, height], dtype=np.float32)
        boxes_xyxy = boxes_yxyx[:filled, [1, 0, 3, 2]] * scale
        found = scores >= threshold
        return RawDetections(boxes_xyxy[found], scores[found], class_ids[found])
