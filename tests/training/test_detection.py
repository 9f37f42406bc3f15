"""The training's own detector pipeline: placing pictures and reading the grid."""

from __future__ import annotations

import numpy as np
import pytest

from training.detection import GRID, detect, letterbox


def test_letterbox_shrinks_to_the_top_left() -> None:
    canvas, scale = letterbox(np.full((208, 832, 3), 7, np.uint8))
    assert scale == 0.5
    assert (canvas[:104] == 7).all()
    assert (canvas[104:] == 114).all()


def test_a_cell_is_read_as_yolox_means_it() -> None:
    rows = np.zeros((1, len(GRID), 12), np.float32)
    # Level of stride 8 (52 x 52 cells), column 10, row 3: centre (84, 28), 16 x 8 pixels.
    rows[0, 3 * 52 + 10] = [0.5, 0.5, np.log(2), 0, 0.8, 0, 0, 0.5, 0, 0, 0.25, 0]
    found = detect(lambda _: rows, np.zeros((416, 416, 3), np.uint8))
    assert found.boxes_xyxy.tolist() == [[76, 24, 92, 32]]
    assert found.scores.tolist() == pytest.approx([0.4])
    assert found.classes.tolist() == [2]
