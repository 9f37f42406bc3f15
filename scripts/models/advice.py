"""Look for a better way of preprocessing pictures than the manifest's.

A model with another input than in training still answers, only worse, and nothing fails. So common
ways of preprocessing are tried on the user's pictures, one field of the manifest at a time. Advice
needs a way that is better on most pictures and by a clear margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from inference.classification import Classifier, make_classifier
from inference.detection import Detector, make_detector
from inference.manifest import IDENTITY_MEAN, IDENTITY_STD, DetectionTask, InputSpec, Manifest
from inference.types import ImageRGB
from scripts.models.agreement import (
    Found,
    Scores,
    classifier_scores,
    confidence_gains,
    detector_scores,
    find_in_views,
    label_scores,
)

Change = dict[str, Any]
"""Fields of `input` and their values."""

ROUNDS = 3
FIELDS = ("color", "scale", "mean", "std", "resize", "anchor", "pad_value")

MIN_RATIO = 1.15
"""A detector's agreement must grow by this factor."""
MIN_LABEL_RATIO = 1.1
MIN_GAIN = 0.04
"""Confidence that objects must gain by another order of the colours."""
MIN_OBJECTS = 20
OBJECT_T = 5.0
"""Standard errors of that gain. Views and neighbouring objects are not independent, so more is
required than of pictures."""
CONSTANT = 0.05
"""Agreement (in nats) of every picture, if a classifier answers all of them alike."""
MIN_LOG_RATIO = 0.25
"""A classifier's agreement must grow by this much (in nats), and to twice its value."""

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_CAFFE_MEAN = (104.0, 117.0, 123.0)


class Judge(Protocol):
    """Compares manifests of one model on the user's pictures."""

    def margin(self, own: Manifest, other: Manifest) -> float:
        """Return how many times better `other` is; 0 if that is not proven."""
        ...


@dataclass(frozen=True, slots=True)
class Advice:
    """An input that suits the pictures better.

    Attributes:
        changes: Field, the manifest's value, and the better value.
        ratio: How many times better.
        reason: The changes in words.
    """

    changes: tuple[tuple[str, Any, Any], ...]
    ratio: float
    reason: str


def advise(manifest: Manifest, judge: Judge) -> Advice | None:
    """Return changes to the input that are proven to be better, or None."""
    best, ratio, reasons = manifest, 1.0, []
    for _ in range(ROUNDS):
        tried = [(judge.margin(best, other), reason, other) for reason, other in neighbours(best)]
        margin, reason, found = max(tried, key=lambda each: each[0])
        if margin <= 1:
            break
        best, ratio = found, ratio * margin
        reasons.append(reason)
    changes = tuple(
        (name, getattr(manifest.input, name), getattr(best.input, name))
        for name in FIELDS
        if getattr(manifest.input, name) != getattr(best.input, name)
    )
    return Advice(changes, ratio, ", ".join(reasons)) if changes else None


@dataclass(frozen=True, slots=True)
class DetectorJudge:
    """Compares by objects that are found in all views of a picture.

    Attributes:
        detector: The loaded model; its manifest does not matter.
        images_rgb: The pictures.
    """

    detector: Detector
    images_rgb: Sequence[ImageRGB]
    _found: dict[InputSpec, list[list[Found]]] = field(default_factory=dict)

    def margin(self, own: Manifest, other: Manifest) -> float:
        """See `Judge`."""
        before, after = self._find(own), self._find(other)
        if other.input.color != own.input.color:
            return self._colour_margin(before, after)
        return proven(detector_scores(before), detector_scores(after), MIN_RATIO)

    def _colour_margin(self, before: list[list[Found]], after: list[list[Found]]) -> float:
        gains = confidence_gains(before, after)
        if len(gains) < MIN_OBJECTS or gains.mean() < MIN_GAIN:
            return 0.0
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        return 1 + float(gains.mean()) if gains.mean() >= OBJECT_T * error else 0.0

    def _find(self, manifest: Manifest) -> list[list[Found]]:
        if manifest.input not in self._found:
            detector = make_detector(manifest, self.detector.session)
            self._found[manifest.input] = find_in_views(detector, self.images_rgb)
        return self._found[manifest.input]


@dataclass(frozen=True, slots=True)
class ClassifierJudge:
    """Compares by true labels if they are known, else by the agreement of views.

    Attributes:
        classifier: The loaded model; its manifest does not matter.
        crops_rgb: The pictures.
        truths: Their labels, or None.
    """

    classifier: Classifier
    crops_rgb: Sequence[ImageRGB]
    truths: Sequence[str] | None
    _scores: dict[InputSpec, Scores] = field(default_factory=dict)

    def margin(self, own: Manifest, other: Manifest) -> float:
        """See `Judge`."""
        before, after = self._score(own), self._score(other)
        if self.truths is not None:
            return proven(before, after, MIN_LABEL_RATIO)
        gain = float((after - before).mean())
        # The same answer to every picture is no answer.
        if np.abs(before).max() < CONSTANT <= MIN_LOG_RATIO <= gain:
            return float(np.exp(min(gain, 10)))
        if gain < MIN_LOG_RATIO or after.mean() < 2 * before.mean():
            return 0.0
        return float(np.exp(min(gain, 10))) if is_significant(after - before) else 0.0

    def _score(self, manifest: Manifest) -> Scores:
        if manifest.input not in self._scores:
            classifier = make_classifier(manifest, self.classifier.session)
            self._scores[manifest.input] = (
                classifier_scores(classifier, self.crops_rgb)
                if self.truths is None
                else label_scores(classifier, self.crops_rgb, self.truths)
            )
        return self._scores[manifest.input]


def proven(before: Scores, after: Scores, min_ratio: float) -> float:
    """Return the ratio of the means if it is large enough and most pictures agree; else 0.

    Differences are relative, so that pictures with many objects do not decide alone.
    """
    ratio = float(after.mean() / max(before.mean(), 1e-3))
    relative = (after - before) / (after + before + 0.1)
    return ratio if ratio >= min_ratio and is_significant(relative) else 0.0


def is_significant(differences: Scores) -> bool:
    """Return whether the mean of paired differences is clearly positive (t-test, p < 0.01)."""
    count = len(differences)
    if count < 3:
        return False
    error = differences.std(ddof=1) / np.sqrt(count)
    return bool(differences.mean() > (2.5 + 4 / (count - 1)) * error)


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
    if spec.dtype != "uint8":
        changes += _normalisations(spec.color)
    if resizes:
        gray: Change = {"resize": "letterbox", "pad_value": 114}
        changes += [
            ("stretched pictures", {"resize": "stretch"}),
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
