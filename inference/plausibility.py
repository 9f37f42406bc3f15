"""Check that a detector's boxes for an empty picture can be boxes at all.

A wrong output format often decodes without an error, to sizes that overflow or to the same box
everywhere. The limits are far from what any detector returns, trained or not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.types import RawDetections, SizeWH

MIN_SCORE = 0.05
"""Score from which boxes are checked."""
MAX_SIDES = 100
"""Largest coordinate, in sides of the input."""
CERTAIN = 0.99
MAX_CERTAIN = 1000
"""Number of objects of a score above `CERTAIN` that an empty picture may have."""
LIKELY = 0.5
MIN_EQUAL = 20
"""Number of boxes with a score above `LIKELY` from which they must not all be the same, nor the
whole picture."""
WHOLE = 0.99
"""Share of the picture that a box of the whole picture covers."""


def check_boxes(found: RawDetections, input_wh: SizeWH) -> None:
    """Check boxes that were decoded for an empty picture from `MIN_SCORE` on.

    Args:
        found: Boxes in input pixels.
        input_wh: Width and height of the input.

    Raises:
        ValueError: They cannot be boxes; the message says why.
    """
    boxes_xyxy = found.boxes_xyxy
    if boxes_xyxy.shape != (len(found.scores), 4):
        raise ValueError(f"Boxes have shape {boxes_xyxy.shape}, not [n, 4].")
    if not len(boxes_xyxy):
        return
    limit = MAX_SIDES * max(input_wh)
    if not np.isfinite(boxes_xyxy).all() or float(np.abs(boxes_xyxy).max()) > limit:
        raise ValueError(
            f"Boxes reach beyond {limit} pixels in an input of {input_wh[0]}x{input_wh[1]}. "
            "Check output.format, and output.normalized if it has that field."
        )
    certain = int((found.scores > CERTAIN).sum())
    if certain > MAX_CERTAIN:
        raise ValueError(
            f"An empty picture has {certain} objects with a score above {CERTAIN}. "
            "Check output.format and its columns."
        )
    likely_xyxy = boxes_xyxy[found.scores > LIKELY]
    if len(likely_xyxy) >= MIN_EQUAL and _cover(likely_xyxy, input_wh):
        raise ValueError(
            f"All {len(likely_xyxy)} boxes of an empty picture cover the whole picture. "
            "Check output.format, and output.normalized if it has that field."
        )
    if len(likely_xyxy) >= MIN_EQUAL and float(np.ptp(likely_xyxy, axis=0).max()) < 1:
        raise ValueError(
            f"All {len(likely_xyxy)} boxes of an empty picture are the same. "
            "Check output.format, and output.normalized if it has that field."
        )


def _cover(boxes_xyxy: NDArray[np.float32], input_wh: SizeWH) -> bool:
    """Return whether every box covers the whole input."""
    inside_xyxy = np.clip(boxes_xyxy, 0, [*input_wh, *input_wh])
    areas = (inside_xyxy[:, 2:] - inside_xyxy[:, :2]).prod(axis=1)
    return bool(areas.min() >= WHOLE * input_wh[0] * input_wh[1])
