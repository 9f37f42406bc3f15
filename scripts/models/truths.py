"""The right answers of a classifier, as far as they are known without labels.

Folders that are named like the labels say it. Else the detector's class of each vehicle does, if
the labels name kinds of vehicles: a car is a minivan or a taxi, but not a bus.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

WORDS = {
    "car": "car van minivan wagon convertible limousine jeep cab taxi pickup sedan suv coupe "
    "hatchback racer ambulance",
    "bus": "bus minibus coach trolleybus",
    "truck": "truck lorry pickup van trailer tractor",
    "motorcycle": "motorcycle motorbike moped scooter",
}
"""Words in labels by the detector's class."""
MIN_KNOWN_SHARE = 0.8
"""Share of the crops whose labels must be known."""

Truth = frozenset[str]
"""The labels that are right for one crop; empty if unknown."""


def folder_truths(folders: Sequence[str], labels: Sequence[str]) -> list[Truth] | None:
    """Return the folders' names as truths, or None if one is no label."""
    return [frozenset([folder]) for folder in folders] if set(folders) <= set(labels) else None


def vehicle_truths(class_names: Sequence[str], labels: Sequence[str]) -> list[Truth] | None:
    """Return the labels that match each vehicle's class, or None if most classes match none."""
    truths = [_matching(name, labels) for name in class_names]
    return truths if sum(map(bool, truths)) >= MIN_KNOWN_SHARE * len(truths) else None


def _matching(class_name: str, labels: Sequence[str]) -> Truth:
    words = set(WORDS.get(class_name, "").split())
    found = frozenset(
        label for label in labels if words & set(re.findall(r"[a-z]+", label.lower()))
    )
    return found if len(found) < len(labels) else frozenset()
