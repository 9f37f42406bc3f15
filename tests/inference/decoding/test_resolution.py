from __future__ import annotations

import pytest

from inference.decoding.resolution import SMALLEST, Resolution

RESOLUTIONS: dict[str, tuple[Resolution, tuple[int, int], int]] = {
    "the smallest": (SMALLEST, (10, 10), 8),
    "the smallest of a tiny picture": (SMALLEST, (3, 3), 2),
    "more than there is": (Resolution(500, 500, every_side=False), (400, 300), 1),
    "exactly a quarter": (Resolution(100, 75, every_side=True), (400, 300), 4),
    "a pixel more than a quarter": (Resolution(101, 75, every_side=True), (400, 300), 2),
    "one side is enough": (Resolution(100, 300, every_side=False), (400, 300), 4),
    "one side is not": (Resolution(100, 300, every_side=True), (400, 300), 1),
    "never less than an eighth": (Resolution(10, 10, every_side=True), (4000, 4000), 8),
    "a fraction": (Resolution(62.4, 1, every_side=True), (500, 500), 8),
}


@pytest.mark.parametrize(
    ("resolution", "size_wh", "reduction"), RESOLUTIONS.values(), ids=RESOLUTIONS
)
def test_reduction(resolution: Resolution, size_wh: tuple[int, int], reduction: int) -> None:
    assert resolution.reduction(size_wh) == reduction
