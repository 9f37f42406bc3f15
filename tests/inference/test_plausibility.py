from __future__ import annotations

import numpy as np
import pytest

from inference.plausibility import check_boxes
from inference.types import RawDetections

BOX = (10.0, 10.0, 60.0, 40.0)


def found(boxes: list[tuple[float, ...]], score: float = 0.3) -> RawDetections:
    count = len(boxes)
    return RawDetections(
        np.array(boxes, np.float32).reshape(count, 4),
        np.full(count, score, np.float32),
        np.zeros(count, np.int64),
    )


def spread(count: int) -> list[tuple[float, ...]]:
    return [(10.0 + i % 50, 10.0, 60.0 + i % 50, 40.0) for i in range(count)]


PLAUSIBLE = {
    "nothing": found([]),
    "some boxes": found(spread(3)),
    "many uncertain boxes of an untrained model": found(spread(5000), 0.7),
    "a box outside the input": found([(-64.0, -64.0, 640.0, 640.0)]),
    "few equal boxes": found([BOX] * 5, 0.6),
    "equal boxes of an untrained model": found([BOX] * 300),
}
IMPLAUSIBLE = {
    "an overflow": found([(0.0, 0.0, np.inf, 9.0)]),
    "not a number": found([(0.0, np.nan, 8.0, 9.0)]),
    "sizes of a wrong format": found([(-1e7, -1e7, 1e7, 1e7)]),
    "thousands of certain objects": found(spread(2000), 0.999),
    "the whole picture everywhere": found([(-i, -i, 64.0 + i, 64.0 + i) for i in range(50)], 0.6),
    "the same box everywhere": found([BOX] * 50, 0.6),
}


@pytest.mark.parametrize("boxes", PLAUSIBLE.values(), ids=PLAUSIBLE)
def test_plausible_boxes_pass(boxes: RawDetections) -> None:
    check_boxes(boxes, (64, 64))


@pytest.mark.parametrize("boxes", IMPLAUSIBLE.values(), ids=IMPLAUSIBLE)
def test_implausible_boxes_are_refused(boxes: RawDetections) -> None:
    with pytest.raises(ValueError, match=r"Check output\.format"):
        check_boxes(boxes, (64, 64))
