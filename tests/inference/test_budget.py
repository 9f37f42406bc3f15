from __future__ import annotations

import pytest

from inference.budget import CROP_MS, PICTURE_MS, RequestBudget
from inference.decoding.cost import BASE_MS, MS_PER_BYTE
from inference.errors import ImageTooLarge, RequestTooExpensive


def budget(
    *, max_ms: float = 8000, per_picture: int = 20, crops: int = 100, decodes: int = 1
) -> RequestBudget:
    return RequestBudget(max_ms=max_ms, crops_per_picture=per_picture, crops=crops, decodes=decodes)


def expecting(pictures: int, *, max_ms: float = 8000, decodes: int = 1) -> RequestBudget:
    limits = budget(max_ms=max_ms, decodes=decodes)
    limits.expect(pictures)
    return limits


def test_a_picture_alone_may_take_the_time_of_a_small_request() -> None:
    expecting(1).charge(BASE_MS)
    with pytest.raises(ImageTooLarge):
        expecting(1).charge(BASE_MS + 1)


def test_pictures_share_the_time() -> None:
    shared = expecting(2)
    shared.charge(BASE_MS / 2)
    with pytest.raises(RequestTooExpensive):
        shared.charge(BASE_MS / 2)
    shared.charge(BASE_MS / 2 - PICTURE_MS)  # What was refused takes nothing.


def test_more_bytes_may_take_more_time_up_to_the_maximum() -> None:
    large = expecting(0, max_ms=2000)
    large.add_bytes(round(500 / MS_PER_BYTE))
    large.charge(BASE_MS + 500)
    large.add_bytes(10_000_000)
    with pytest.raises(RequestTooExpensive):
        large.charge(2000 - BASE_MS - 500 + 1)


def test_a_drawn_picture_is_decoded_twice() -> None:
    expecting(1, decodes=2).charge(BASE_MS / 2)
    with pytest.raises(ImageTooLarge):
        expecting(1, decodes=2).charge(BASE_MS / 2 + 1)


def test_crops_leave_time_to_the_other_pictures() -> None:
    shared = expecting(32)
    left = BASE_MS - 31 * PICTURE_MS

    assert shared.take_crops(100) == int(left / 2 / CROP_MS)
    for _ in range(32):
        shared.charge(left / 2 / 32)


CROPS = {
    "within all limits": (budget(), [7, 3], [7, 3]),
    "per picture": (budget(per_picture=5), [7, 3], [5, 3]),
    "per request": (budget(crops=8), [7, 3, 1], [7, 1, 0]),
    "by time": (budget(max_ms=5 * CROP_MS), [1, 3], [1, 2]),
}


@pytest.mark.parametrize(("limits", "wanted", "granted"), CROPS.values(), ids=CROPS)
def test_crops(limits: RequestBudget, wanted: list[int], granted: list[int]) -> None:
    assert [limits.take_crops(count) for count in wanted] == granted
