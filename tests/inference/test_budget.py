from __future__ import annotations

import pytest

from inference.budget import CROP_MS, PICTURE_MS, SMALL_DECODE_MS, RequestBudget
from inference.decoding.cost import BASE_MS, MS_PER_BYTE
from inference.errors import ImageTooLarge, RequestTooExpensive


def budget(
    *, max_ms: float = 8000, per_picture: int = 20, crops: int = 100, is_drawn: bool = False
) -> RequestBudget:
    return RequestBudget(
        max_ms=max_ms, crops_per_picture=per_picture, crops=crops, is_drawn=is_drawn
    )


def started(pictures: int, *, max_ms: float = 8000, is_drawn: bool = False) -> RequestBudget:
    """Return the budget of a request whose first picture has started."""
    limits = budget(max_ms=max_ms, per_picture=100, is_drawn=is_drawn)
    limits.expect(pictures)
    limits.start()
    return limits


def test_a_picture_alone_may_take_the_time_of_a_small_request() -> None:
    started(1).charge(BASE_MS, 0)
    with pytest.raises(ImageTooLarge):
        started(1).charge(BASE_MS + 1, 0)


def test_pictures_share_the_time() -> None:
    shared = started(2)
    shared.charge(BASE_MS / 2, 0)
    shared.start()
    with pytest.raises(RequestTooExpensive):
        shared.charge(BASE_MS / 2, 0)
    shared.charge(BASE_MS / 2 - PICTURE_MS, 0)  # What was refused takes nothing.


def test_more_bytes_may_take_more_time_up_to_the_maximum() -> None:
    large = started(1, max_ms=2000)
    large.add_bytes(round(500 / MS_PER_BYTE))
    large.charge(BASE_MS + 500, 125_000)
    large.add_bytes(10_000_000)
    with pytest.raises(RequestTooExpensive):
        large.charge(2000 - BASE_MS - 500, 10_000_000)
    with pytest.raises(ImageTooLarge):
        large.charge(2000, 10_000_000)


def test_the_error_is_that_of_the_picture_alone_whatever_came_before() -> None:
    first = started(32)
    with pytest.raises(RequestTooExpensive):
        first.charge(BASE_MS, 0)
    second = started(2)
    second.charge(1, 0)
    second.start()
    with pytest.raises(ImageTooLarge):
        second.charge(BASE_MS + 1, 0)


def test_a_drawn_picture_may_take_the_time_of_one_that_is_not() -> None:
    drawn = started(1, is_drawn=True)
    drawn.charge(BASE_MS, 0)
    assert drawn.take_crops(100) == 0
    with pytest.raises(ImageTooLarge):
        started(1, is_drawn=True).charge(BASE_MS + 1, 0)


def test_drawing_counts_towards_the_maximum() -> None:
    started(1, max_ms=1000).charge(BASE_MS, 0)
    with pytest.raises(ImageTooLarge):
        started(1, max_ms=1000, is_drawn=True).charge(BASE_MS, 0)


@pytest.mark.parametrize("pictures", [1, 32, 44, 100, 200])
def test_any_number_of_small_pictures_is_processed(pictures: int) -> None:
    many = budget()
    many.expect(pictures)
    many.add_bytes(pictures * 2000)
    for _ in range(pictures):
        many.start()
        many.charge(0.5, 2000)
        many.take_crops(100)


def test_the_first_of_too_many_pictures_are_processed() -> None:
    many = budget()
    many.expect(1000)
    many.add_bytes(2_000_000)
    many.start()
    many.charge(1, 2000)


def test_a_picture_that_could_not_be_fetched_leaves_its_time_to_the_others() -> None:
    shared = started(2)
    shared.start()
    shared.charge(BASE_MS, 0)


def test_crops_leave_time_to_the_other_pictures() -> None:
    shared = started(32)
    left = BASE_MS / 2 + PICTURE_MS - 31 * SMALL_DECODE_MS

    assert shared.take_crops(100) == int(left / 2 / CROP_MS)
    for _ in range(31):
        shared.start()
        shared.charge(SMALL_DECODE_MS, 0)


CROPS = {
    "within all limits": (budget(), [7, 3], [7, 3]),
    "per picture": (budget(per_picture=5), [7, 3], [5, 3]),
    "per request": (budget(crops=8), [7, 3, 1], [7, 1, 0]),
    "by time": (budget(max_ms=5 * CROP_MS), [1, 3], [1, 2]),
}


@pytest.mark.parametrize(("limits", "wanted", "granted"), CROPS.values(), ids=CROPS)
def test_crops(limits: RequestBudget, wanted: list[int], granted: list[int]) -> None:
    assert [limits.take_crops(count) for count in wanted] == granted
