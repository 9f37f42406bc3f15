"""The right answers of a classifier, as far as they are known.

Folders that are named like the labels say it. Else the class of each vehicle does, if the labels
name kinds of vehicles: a car is a minivan or a taxi, but not a bus. Clear colours are seen in the
pixels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from inference.opencv import cv2
from inference.types import ImageRGB

WORDS = {
    "car": "car van minivan wagon convertible limousine jeep cab taxi pickup sedan suv coupe "
    "hatchback racer ambulance",
    "bus": "bus minibus coach trolleybus",
    "truck": "truck lorry pickup van trailer tractor",
    "motorcycle": "motorcycle motorbike moped scooter",
}
"""Words in labels by the vehicle's class."""
MIN_KNOWN_SHARE = 0.8
"""Share of the crops whose labels must be known."""

COLOURS = {
    "red": ("red bordeaux maroon burgundy", ((0, 8), (168, 180))),
    "blue": ("blue navy", ((95, 128),)),
    "yellow": ("yellow gold golden", ((20, 34),)),
}
"""Words in labels by colour, and its hues in OpenCV's degrees of 0..179."""
MIN_SATURATION = 110
MIN_VALUE = 60
"""Smallest saturation and value of a coloured pixel, 0..255."""
MIN_COLOURED = 0.25
"""Share of an object's inner half that must be coloured."""
MIN_PURE = 0.7
"""Share of the coloured pixels that must have one of the hues."""

Truth = frozenset[str]
"""The labels that are right for one crop; empty if unknown."""


def folder_truths(folders: Sequence[str], labels: Sequence[str]) -> list[Truth] | None:
    """Return the folders' names as truths, or None if most are no labels, or only one is."""
    truths = [frozenset({folder} & set(labels)) for folder in folders]
    is_enough = sum(map(bool, truths)) >= MIN_KNOWN_SHARE * len(truths)
    return truths if is_enough and len(set(truths) - {frozenset()}) > 1 else None


def vehicle_truths(class_names: Sequence[str], labels: Sequence[str]) -> list[Truth] | None:
    """Return the labels that match each vehicle's class, or None if most classes match none."""
    truths = [_matching(name, labels) for name in class_names]
    return truths if sum(map(bool, truths)) >= MIN_KNOWN_SHARE * len(truths) else None


def colour_truths(colours: Sequence[str], labels: Sequence[str]) -> list[Truth] | None:
    """Return the labels that name each crop's colour, or None if the labels are no colours."""
    truths = {name: _labels_with(words, labels) for name, (words, _) in COLOURS.items()}
    if not (truths["red"] and truths["blue"]):
        return None
    return [truths.get(colour, frozenset()) for colour in colours]


def colour_of(crop_rgb: ImageRGB) -> str:
    """Return the colour of an object, one of `COLOURS`, or an empty text if it is not clear."""
    height, width = crop_rgb.shape[:2]
    inner = crop_rgb[height // 4 : height - height // 4, width // 4 : width - width // 4]
    pixels = cv2.cvtColor(np.ascontiguousarray(inner), cv2.COLOR_RGB2HSV).reshape(-1, 3)
    coloured = (pixels[:, 1] >= MIN_SATURATION) & (pixels[:, 2] >= MIN_VALUE)
    if coloured.mean() < MIN_COLOURED:
        return ""
    hues = pixels[coloured, 0]
    shares = {
        name: sum(float(((hues >= low) & (hues < high)).mean()) for low, high in ranges)
        for name, (_, ranges) in COLOURS.items()
    }
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= MIN_PURE else ""


def _matching(class_name: str, labels: Sequence[str]) -> Truth:
    found = _labels_with(WORDS.get(class_name, class_name), labels)
    return found if len(found) < len(labels) else frozenset()


def _labels_with(words: str, labels: Sequence[str]) -> Truth:
    wanted = set(words.split())
    return frozenset(
        label for label in labels if wanted & set(re.findall(r"[a-z]+", label.lower()))
    )
