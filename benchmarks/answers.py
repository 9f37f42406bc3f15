"""Whether a contestant's answers are right: nobody wins by leaving the work out.

Two contestants decode and scale in different ways, so that scores near the threshold may fall on
either side of it. Objects well above it have to be found by both, with the same class and nearly
the same box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MIN_IOU = 0.9
MIN_SHARE = 0.8
"""Of the sure objects that have to be matched, over all pictures of a case. On photographs with
small, crowded vehicles another way to scale moves one box in ten by more than `MIN_IOU` allows."""

SURE = 0.5
"""Scores from which an object counts: a tenth above the threshold."""

Picture = Sequence[dict[str, Any]]


class WrongAnswer(Exception):
    """A contestant answers something else than the product; the message says what."""


def check(expected: Sequence[Picture], given: Sequence[Picture], min_found: int) -> None:
    """Compare a contestant's answer with the product's, picture by picture.

    Args:
        expected: The product's answer, an array of objects per picture.
        given: The contestant's.
        min_found: Objects there must be in all.

    Raises:
        WrongAnswer: There are fewer answers or objects than there should be, or the sure objects
            of one side are not among those of the other.
    """
    if len(given) != len(expected):
        raise WrongAnswer(f"{len(given)} pictures are answered instead of {len(expected)}")
    found = sum(len(picture) for picture in given)
    if found < min_found:
        raise WrongAnswer(f"{found} objects are found instead of {min_found} or more")
    for name, left, right in (("missed", expected, given), ("made up", given, expected)):
        share = matched_share(left, right)
        if share < MIN_SHARE:
            raise WrongAnswer(f"{1 - share:.0%} of the sure objects are {name}")


def matched_share(left: Sequence[Picture], right: Sequence[Picture]) -> float:
    """Which share of the sure objects in `left` are in `right` too, each used once."""
    total = matched = 0
    for objects, others in zip(left, right, strict=True):
        free = list(others)
        for each in objects:
            if each["confidence"] < SURE:
                continue
            total += 1
            twin = next((other for other in free if _is_same(each, other)), None)
            if twin is not None:
                free.remove(twin)
                matched += 1
    return matched / total if total else 1.0


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    same_class = one["class_name"] == other["class_name"]
    same_prediction = one.get("pred", [""])[0] == other.get("pred", [""])[0]
    return same_class and same_prediction and iou(one, other) >= MIN_IOU


def iou(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Intersection over union of two answered boxes, 0..1."""
    width = min(one["x2"], other["x2"]) - max(one["x1"], other["x1"])
    height = min(one["y2"], other["y2"]) - max(one["y1"], other["y1"])
    shared = max(0, width) * max(0, height)
    areas = [(box["x2"] - box["x1"]) * (box["y2"] - box["y1"]) for box in (one, other)]
    return float(shared / (sum(areas) - shared)) if shared else 0.0
