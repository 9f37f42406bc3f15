"""Plain boxes, scores and labels: the graph itself suppresses overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

SCORED_COLUMNS = 5
"""mmdeploy's boxes: x1, y1, x2, y2, score."""


@dataclass(frozen=True, slots=True)
class BoxesHead:
    """Boxes [n, 4] as x1, y1, x2, y2, scores [n], labels [n]; a leading batch axis of 1 is allowed.

    Attributes:
        boxes: Name of the box output.
        scores: Name of the score output; not used for boxes [n, 5], whose last column is it.
        labels: Name of the label output.
        normalized: True if corners are in 0..1, False if they are in input pixels.
        first_class: Id of the first label; some exports count from 1.
    """

    boxes: str
    scores: str
    labels: str
    normalized: bool
    first_class: int

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> BoxesHead:
        """Read `boxes`, `scores`, `labels`, `normalized` and `first_class`."""
        return cls(
            boxes=fields.text("boxes", "boxes"),
            scores=fields.text("scores", "scores"),
            labels=fields.text("labels", "labels"),
            normalized=fields.flag("normalized", False),
            first_class=fields.integer("first_class", 0, 1, 0),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`."""
        has_scores = outputs[self.boxes].shape[-1] == SCORED_COLUMNS
        columns = SCORED_COLUMNS if has_scores else 4
        rows = outputs[self.boxes].reshape(-1, columns).astype(np.float32, copy=False)
        boxes_xyxy = rows[:, :4]
        if self.normalized:
            boxes_xyxy = boxes_xyxy * np.array([*input_wh, *input_wh], dtype=np.float32)
        scores = (
            rows[:, 4]
            if has_scores
            else outputs[self.scores].reshape(-1).astype(np.float32, copy=False)
        )
        class_ids = outputs[self.labels].reshape(-1).astype(np.int64) - self.first_class
        found = scores >= threshold
        return RawDetections(boxes_xyxy[found], scores[found], class_ids[found])
