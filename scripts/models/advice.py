"""Look for a better way of preprocessing pictures than the manifest's.

A model with another input than in training still answers, only worse, and nothing fails. So common
ways of preprocessing are tried on the user's pictures, one field of the manifest at a time. Advice
needs a way that is better on most pictures and by a clear margin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inference.manifest import IDENTITY_MEAN, IDENTITY_STD, DetectionTask, InputSpec, Manifest
from scripts.models.evidence import Evidence
from scripts.models.judges import Judge

Change = dict[str, Any]
"""Fields of `input` and their values."""

ROUNDS = 3
FIELDS = ("color", "scale", "mean", "std", "resize", "anchor", "pad_value", "multiple")

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_CAFFE_MEAN = (104.0, 117.0, 123.0)


@dataclass(frozen=True, slots=True)
class Advice:
    """An input that suits the pictures better.

    Attributes:
        changes: Field, the manifest's value, and the better value.
        ratio: How many times better.
        reason: The changes in words.
        measure: What the ratio is of.
    """

    changes: tuple[tuple[str, Any, Any], ...]
    ratio: float
    reason: str
    measure: str


def advise(manifest: Manifest, judge: Judge) -> Advice | None:
    """Return changes to the input that are proven to be better, or None."""
    best, ratio, reasons, measure = manifest, 1.0, [], ""
    for _ in range(ROUNDS):
        found = _best(best, judge)
        if found is None:
            break
        evidence, reason, best = found
        ratio, measure = ratio * evidence.ratio, evidence.measure
        reasons.append(reason)
    changes = tuple(
        (name, getattr(manifest.input, name), getattr(best.input, name))
        for name in FIELDS
        if getattr(manifest.input, name) != getattr(best.input, name)
    )
    return Advice(changes, ratio, ", ".join(reasons), measure) if changes else None


def _best(own: Manifest, judge: Judge) -> tuple[Evidence, str, Manifest] | None:
    """Return the best of the inputs that are proven to be better, or None."""
    tried = [(judge.evidence(own, other), reason, other) for reason, other in neighbours(own)]
    proven = [each for each in tried if each[0].is_proven]
    if not proven:
        return None
    # Ratios to a manifest that finds nothing say little, so the largest meets the others.
    first = max(proven, key=lambda each: each[0].ratio)
    errors = [judge.evidence(first[2], each[2]).errors for each in proven]
    return proven[int(np.argmax(errors))] if max(errors) > 0 else first


def neighbours(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Yield manifests with other colours, normalisation or resize, each with a description."""
    # A classifier's resize changes its input too little.
    is_detector = isinstance(manifest.task, DetectionTask)
    for reason, spec in _specs(manifest.input, resizes=is_detector):
        if spec != manifest.input:
            yield reason, replace(manifest, input=spec)


def _specs(spec: InputSpec, *, resizes: bool) -> Iterator[tuple[str, InputSpec]]:
    other = "BGR" if spec.color == "RGB" else "RGB"
    recoloured = replace(spec, color=other)
    yield f"{other} instead of {spec.color}", recoloured
    yield (
        f"{other} instead of {spec.color}, with mean and deviation in that order",
        replace(recoloured, mean=spec.mean[::-1], std=spec.std[::-1]),
    )
    changes: list[tuple[str, Change]] = []
    if spec.dtype not in ("uint8", "int8"):
        changes += _normalisations(spec.color)
    if resizes:
        gray: Change = {"resize": "letterbox", "pad_value": 114}
        changes += [
            ("stretched pictures", {"resize": "stretch", "multiple": None}),
            ("centred pictures over gray", {**gray, "anchor": "center"}),
            ("pictures at the top left over gray", {**gray, "anchor": "top-left"}),
        ]
    yield from ((reason, replace(spec, **change)) for reason, change in changes)


def _normalisations(color: str) -> list[tuple[str, Change]]:
    plain: Change = {"scale": 1.0, "mean": IDENTITY_MEAN, "std": IDENTITY_STD}
    imagenet: Change = {"scale": 1 / 255, "mean": _IMAGENET_MEAN, "std": _IMAGENET_STD}
    caffe: Change = {**plain, "mean": _CAFFE_MEAN}
    reversed_order = imagenet if color == "BGR" else caffe
    for name in ("mean", "std"):
        reversed_order[name] = reversed_order[name][::-1]
    return [
        ("values of 0..255", plain),
        ("values of 0..1", {**plain, "scale": 1 / 255}),
        ("values of -1..1", {**plain, "scale": 1 / 127.5, "mean": (1.0, 1.0, 1.0)}),
        ("ImageNet's mean and deviation", imagenet),
        ("Caffe's mean", caffe),
    ]
