"""True boxes of labelled pictures show which input a detector was trained with."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.models.agreement import Found
from scripts.models.labelled import NamedBox
from scripts.models.precision import IOUS, Judged, judged, precision_gain

CAR: NamedBox = ("Car", (0, 0, 10, 10))
MEANINGS = {"car": frozenset({"car", "van"}), "dog": frozenset[str]()}
Row = tuple[str, float, tuple[float, float, float, float]]


def found(*rows: Row) -> Found:
    return Found(
        np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        np.array([name for name, _, _ in rows], np.str_),
        np.array([confidence for _, confidence, _ in rows], np.float64),
    )


@pytest.mark.parametrize(
    ("rows", "truths", "levels", "total"),
    {
        "right": ([("car", 0.9, (0, 0, 10, 10))], [CAR], [10], 1),
        "another label of the class": ([("van", 0.9, (0, 0, 10, 10))], [CAR], [10], 1),
        "inexact": ([("car", 0.9, (0, 0, 10, 7.2))], [CAR], [5], 1),
        "elsewhere": ([("car", 0.9, (20, 0, 30, 10))], [CAR], [0], 1),
        "twice": ([("car", 0.9, (0, 0, 10, 10)), ("car", 0.8, (0, 0, 10, 10))], [CAR], [10, 0], 1),
        "a class without truths": ([("bus", 0.9, (0, 0, 10, 10))], [CAR], [], 1),
        "a truth without class": ([], [("dog", (0, 0, 9, 9))], [], 0),
        "nothing": ([], [CAR], [], 1),
    }.values(),
)
def test_found_objects_are_matched_once(
    rows: list[Row], truths: list[NamedBox], levels: list[int], total: int
) -> None:
    picture = judged(found(*rows), truths, MEANINGS)
    assert picture.is_right.sum(axis=1).tolist() == levels
    assert picture.total == total


def picture(*right: bool, total: int = 1) -> Judged:
    flags = np.repeat(np.array(right, bool)[:, np.newaxis], len(IOUS), axis=1)
    return Judged(np.linspace(0.9, 0.5, len(right)), flags, total)


HALF = picture(True, total=2)


@pytest.mark.parametrize(
    ("own", "other", "before", "after"),
    {
        "found": ([picture(False)] * 3, [picture(True)] * 3, 0.0, 1.0),
        "a wrong one first": ([picture(False, True)] * 2, [picture(True, False)] * 2, 0.5, 1.0),
        "half of them": ([HALF] * 2, [picture(True, True, total=2)] * 2, 0.5, 1.0),
        "nothing": ([picture()] * 2, [picture()] * 2, 0.0, 0.0),
    }.values(),
)
def test_precision(own: list[Judged], other: list[Judged], before: float, after: float) -> None:
    found_before, found_after, errors = precision_gain(own, other)
    assert (found_before, found_after) == pytest.approx((before, after))
    assert np.sign(errors) == np.sign(after - before)


def test_one_picture_is_no_proof() -> None:
    one = [*[picture(True)] * 9, picture(False)]
    _, _, errors = precision_gain(one, [picture(True)] * 10)
    assert 0 < errors < 2
