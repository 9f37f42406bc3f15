"""DETR and its descendants: one box and its class logits per query, no suppression.

Carion et al. 2020, arXiv 2005.12872: softmax with "no object" as the last class. Deformable DETR
(Zhu et al. 2020, arXiv 2010.04159), RT-DETR (Zhao et al. 2023, arXiv 2304.08069) and D-FINE: a
sigmoid per class. Output names are those of HuggingFace's transformers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.geometry import to_corners
from inference.heads.outputs import MAX_IGNORED
from inference.json_reader import JsonReader
from inference.types import Outputs, RawDetections

ACTIVATIONS = ("sigmoid", "softmax")


@dataclass(frozen=True, slots=True)
class DetrHead:
    """Logits [1, queries, classes] and boxes [1, queries, 4] as cx, cy, w, h in 0..1.

    With softmax the logits have one more column: the last one is "no object".

    Attributes:
        class_count: Number of classes, without "no object".
        logits: Name of the logit output.
        boxes: Name of the box output.
        activation: `softmax` or `sigmoid`.
        ignored: Number of columns of the logits after the classes; with softmax, after "no object".
    """

    class_count: int
    logits: str
    boxes: str
    activation: str
    ignored: int = 0

    @classmethod
    def from_fields(cls, fields: JsonReader, class_count: int) -> DetrHead:
        """Read `logits`, `boxes`, `activation` and `ignored`."""
        return cls(
            class_count,
            logits=fields.text("logits", "logits"),
            boxes=fields.text("boxes", "pred_boxes"),
            activation=fields.choice("activation", ACTIVATIONS),
            ignored=fields.integer("ignored", 0, MAX_IGNORED, 0),
        )

    def decode(
        self, outputs: Outputs, input_wh: tuple[int, int], threshold: float
    ) -> RawDetections:
        """See `Head`. With sigmoid, a query yields every class that reaches the threshold."""
        logits, boxes_cxcywh = outputs[self.logits], outputs[self.boxes]
        used = self.class_count + (self.activation == "softmax")
        columns = used + self.ignored
        queries = logits.shape[1] if logits.ndim == 3 else 0
        if logits.shape != (1, queries, columns) or boxes_cxcywh.shape != (1, queries, 4):
            raise ValueError(
                f"The outputs have shapes {logits.shape} and {boxes_cxcywh.shape}. A DETR with "
                f"{self.class_count} classes and {self.activation} has (1, queries, {columns}) and "
                "(1, queries, 4)."
            )
        probabilities = self._probabilities(logits[0, :, :used].astype(np.float32, copy=False))
        found, class_ids = np.nonzero(probabilities >= threshold)
        scale = np.array([*input_wh, *input_wh], dtype=np.float32)
        boxes_xyxy = to_corners(boxes_cxcywh[0].astype(np.float32, copy=False)[found]) * scale
        return RawDetections(boxes_xyxy, probabilities[found, class_ids], class_ids)

    def _probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """[queries, columns] -> [queries, classes]; with softmax, -1 for all but the best class."""
        if self.activation == "sigmoid":
            # Equals 1 / (1 + exp(-x)), which would overflow.
            return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits), dtype=np.float32)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        classes = (weights / weights.sum(axis=1, keepdims=True))[:, :-1]
        # As in DETR's PostProcess: the best class of a query other than "no object".
        is_best = classes == classes.max(axis=1, keepdims=True)
        return np.asarray(np.where(is_best, classes, -1), dtype=np.float32)
