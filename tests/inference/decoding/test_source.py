from __future__ import annotations

import pytest

from inference.decoding.source import NOTHING, Need

NEEDS: dict[str, tuple[Need, tuple[int, int], int]] = {
    "nothing": (NOTHING, (10, 10), 8),
    "nothing of a tiny picture": (NOTHING, (3, 3), 2),
    "more than there is": (Need(500, 500, every_side=False), (400, 300), 1),
    "exactly a quarter": (Need(100, 75, every_side=True), (400, 300), 4),
    "a pixel more than a quarter": (Need(101, 75, every_side=True), (400, 300), 2),
    "one side is enough": (Need(100, 300, every_side=False), (400, 300), 4),
    "one side is not": (Need(100, 300, every_side=True), (400, 300), 1),
    "never less than an eighth": (Need(10, 10, every_side=True), (4000, 4000), 8),
    "a fraction": (Need(62.4, 1, every_side=True), (500, 500), 8),
}


@pytest.mark.parametrize(("need", "size_wh", "shrink"), NEEDS.values(), ids=NEEDS)
def test_shrink(need: Need, size_wh: tuple[int, int], shrink: int) -> None:
    assert need.shrink(size_wh) == shrink
