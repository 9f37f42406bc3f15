"""Steps that several heads share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.geometry import non_maximum_suppression
from inference.types import Outputs, RawDetections, Tensor

MAX_IGNORED = 1000
"""Maximum of the setting `ignored`, the columns that a head skips."""


def pick(outputs: Outputs, name: str | None) -> Tensor:
    """Return the output of a name, or the model's only output if the name is None.

    Raises:
        KeyError: No output has that name.
        ValueError: The name is None and there are several outputs.
    """
    if name is not None:
        return outputs[name]
    if len(outputs) != 1:
        raise ValueError(
            f"The model has the outputs {sorted(outputs)}. Name the one with the boxes in the "
            "manifest's output.predictions."
        )
    (output,) = outputs.values()
    return output


def to_class_ids(values: NDArray[np.float32], class_count: int) -> NDArray[np.int64]:
    """Convert class numbers from float to int64; invalid ones become -1, which has no label.

    Args:
        values: float32 [n].
        class_count: Number of classes.
    """
    is_class = (values >= 0) & (values < class_count)
    return np.where(is_class, values, -1).astype(np.int64)


def best_class(
    class_scores: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the class with the highest score of every row, and that score.

    Args:
        class_scores: float32 [n, classes].

    Returns:
        int64 [n] and float32 [n].
    """
    class_ids = class_scores.argmax(axis=1)
    return class_ids, class_scores[np.arange(len(class_scores)), class_ids]


def suppressed(
    boxes_xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    nms_iou: float,
) -> RawDetections:
    """Apply non-maximum suppression; the result is sorted by score, highest first.

    Args:
        boxes_xyxy: float32 [n, 4], corners in input pixels.
        scores: float32 [n].
        class_ids: int64 [n].
        nms_iou: IoU above which the lower-scoring of two boxes of one class is dropped.
    """
    kept = non_maximum_suppression(boxes_xyxy, scores, class_ids, nms_iou)
    return RawDetections(boxes_xyxy[kept], scores[kept], class_ids[kept])
