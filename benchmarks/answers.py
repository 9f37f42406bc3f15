"""Check a contestant's answers, so that none is fast by omitting work.

Contestants decode and scale in different ways, so scores near the threshold may fall on either side
of it. Both must find the objects well above it, with the same class and nearly the same box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MIN_IOU = 0.9
MIN_SHARE = 0.8
"""Share of the confident objects that must match, over all pictures of a case. In photographs with
small, crowded vehicles, another scaling method moves one box in ten by more than `MIN_IOU`
allows."""

SURE = 0.5
"""Scores from which an object must match: 0.1 above the threshold."""

Picture = Sequence[dict[str, Any]]


class WrongAnswer(Exception):
    """A contestant's answer differs from the product's; the message says how."""


def check(expected: Sequence[Picture], given: Sequence[Picture], min_found: int) -> None:
    """Compare a contestant's answer with the product's, picture by picture.

    Args:
        expected: The product's answer, an array of objects per picture.
        given: The contestant's answer.
        min_found: Minimum number of objects over all pictures.

    Raises:
        WrongAnswer: Answers or objects are missing, or the confident objects do not match.
    """
    if len(given) != len(expected):
        raise WrongAnswer(f"{len(given)} pictures are answered, expected {len(expected)}")
    found = sum(len(picture) for picture in given)
    if found < min_found:
        raise WrongAnswer(f"{found} objects are found, expected at least {min_found}")
    for name, left, right in (("missed", expected, given), ("made up", given, expected)):
        share = matched_share(left, right)
        if share < MIN_SHARE:
            raise WrongAnswer(f"{1 - share:.0%} of the confident objects are {name}")


def matched_share(left: Sequence[Picture], right: Sequence[Picture]) -> float:
    """Return the share of the confident objects in `left` that match one in `right`."""
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
    """Return the intersection over union of two answered boxes, 0..1."""
    width = min(one["x2"], other["x2"]) - max(one["x1"], other["x1"])
    height = min(one["y2"], other["y2"]) - max(one["y1"], other["y1"])
    shared = max(0, width) * max(0, height)
    areas = [(box["x2"] - box["x1"]) * (box["y2"] - box["y1"]) for box in (one, other)]
    return float(shared / (sum(areas) - shared)) if shared else 0.0
