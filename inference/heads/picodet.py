"""PicoDet and NanoDet: class scores and box-edge distributions per stride.

Yu et al. 2021, arXiv 2111.00902; the distributions are those of generalized focal loss, Li et
al. 2020, arXiv 2006.04388.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.heads.outputs import suppressed
from inference.heads.yolox import make_grid
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

CELL_CENTRE = 0.5
EDGES = 4


@dataclass(frozen=True, slots=True)
class PicodetHead:
    """Per stride one output [1, cells, classes] and one [1, cells, 4 * (reg_max + 1)].

    The first holds probabilities; the second, for each of the edges left, top, right and
    bottom, the logits of a distribution over its distance from the cell's centre, 0..reg_max
    strides. NanoDet has both in one output [1, cells, classes + 4 * (reg_max + 1)].

    Attributes:
        class_count: Number of classes.
        predictions: Name of the output that has everything; "" if there is none.
        scores: Names of the class outputs, one per stride.
        distances: Names of the distribution outputs, one per stride.
        strides: Cell sizes in input pixels, in the same order.
        reg_max: Largest distance in strides.
        centre: Point of a cell that distances start from, in strides.
        nms_iou: IoU above which the lower-scoring of two boxes of one class is dropped.
    """

    class_count: int
    predictions: str
    scores: tuple[str, ...]
    distances: tuple[str, ...]
    strides: tuple[int, ...]
    reg_max: int
    centre: float
    nms_iou: float

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> PicodetHead:
        """Read `predictions` or `scores` and `distances`, and the numbers."""
        predictions = fields.optional_text("predictions") or ""
        head = cls(
            class_count,
            predictions,
            () if predictions else fields.texts("scores"),
            () if predictions else fields.texts("distances"),
            fields.integers("strides"),
            fields.integer("reg_max", 1, 64, 7),
            fields.number("centre", 0, 1, CELL_CENTRE),
            fields.number("nms_iou", 0, 1, 0.6),
        )
        parts = {} if predictions else {"scores": head.scores, "distances": head.distances}
        for name, names in parts.items():
            if len(names) != len(head.strides):
                raise fields.refuse(name, f"{len(head.strides)} output names, one per stride")
        return head

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`. A cell yields every class that reaches the threshold."""
        bins = EDGES * (self.reg_max + 1)
        if self.predictions:
            rows = self._joined(outputs, (self.predictions,), self.class_count + bins)
            probabilities, logits = rows[:, : self.class_count], rows[:, self.class_count :]
        else:
            probabilities = self._joined(outputs, self.scores, self.class_count)
            logits = self._joined(outputs, self.distances, bins)
        cells, strides = make_grid(input_wh, self.strides)
        if not len(probabilities) == len(logits) == len(cells):
            raise ValueError(
                f"The outputs have {len(probabilities)} and {len(logits)} rows. "
                f"An input of {input_wh} with strides {self.strides} has {len(cells)}."
            )
        found, class_ids = np.nonzero(probabilities >= threshold)
        scores = probabilities[found, class_ids]
        distances = self._expected(logits[found]) * strides[found]
        centre = (cells[found] + np.float32(self.centre)) * strides[found]
        boxes_xyxy = np.concatenate([centre - distances[:, :2], centre + distances[:, 2:]], axis=1)
        return suppressed(boxes_xyxy, scores, class_ids, self.nms_iou)

    def _joined(
        self, outputs: Outputs, names: tuple[str, ...], columns: int
    ) -> NDArray[np.float32]:
        for name in names:
            if outputs[name].ndim != 3 or outputs[name].shape[-1] != columns:
                raise ValueError(
                    f"Output {name} has shape {outputs[name].shape}, expected (1, cells, {columns})"
                    f" for {self.class_count} classes and reg_max {self.reg_max}."
                )
        return np.concatenate([outputs[name][0] for name in names]).astype(np.float32, copy=False)

    def _expected(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean of each edge's distribution: [n, 4 * (reg_max + 1)] -> [n, 4] strides."""
        edges = logits.reshape(-1, EDGES, self.reg_max + 1)
        weights = np.exp(edges - edges.max(axis=2, keepdims=True))
        steps = np.arange(self.reg_max + 1, dtype=np.float32)
        return np.asarray((weights @ steps) / weights.sum(axis=2))
