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
from scripts.models.truths import Truth

Change = dict[str, Any]
"""Fields of `input` and their values."""

ROUNDS = 3
FIELDS = ("color", "scale", "mean", "std", "resize", "anchor", "pad_value")

SCREENED = 6
"""Pictures that must be better before the others are tried."""
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
"""Agreement (in nats) that another input must reach, if the manifest's answers are all alike."""
MIN_LOG_GAIN = 0.1
CROP_T = 4.0
"""A classifier's agreement must grow by this much (in nats), and by this many standard errors."""
MAX_LOG_RATIO = 10.0

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
        more_rgb: Further pictures for comparing colours, whose effect is small.
    """

    detector: Detector
    images_rgb: Sequence[ImageRGB]
    more_rgb: Sequence[ImageRGB] = ()
    _found: dict[InputSpec, list[list[Found]]] = field(default_factory=dict)

    def margin(self, own: Manifest, other: Manifest) -> float:
        """See `Judge`."""
        everything = len(self.images_rgb)
        if other.input.color == own.input.color:
            # Most settings are clearly worse, which a few pictures show.
            first = [detector_scores(self._find(each, SCREENED)) for each in (own, other)]
            if first[1].mean() <= first[0].mean():
                return 0.0
        before, after = self._find(own, everything), self._find(other, everything)
        if other.input.color != own.input.color:
            more = [self._run(manifest, self.more_rgb) for manifest in (own, other)]
            return self._colour_margin(before + more[0], after + more[1])
        return proven(detector_scores(before), detector_scores(after), MIN_RATIO)

    def _colour_margin(self, before: list[list[Found]], after: list[list[Found]]) -> float:
        gains = confidence_gains(before, after)
        if len(gains) < MIN_OBJECTS or gains.mean() < MIN_GAIN:
            return 0.0
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        return 1 + float(gains.mean()) if gains.mean() >= OBJECT_T * error else 0.0

    def _find(self, manifest: Manifest, count: int) -> list[list[Found]]:
        """Return the objects of the first pictures, which are kept for the next call."""
        found = self._found.setdefault(manifest.input, [])
        found += self._run(manifest, self.images_rgb[len(found) : count])
        return found[:count]

    def _run(self, manifest: Manifest, images_rgb: Sequence[ImageRGB]) -> list[list[Found]]:
        return find_in_views(make_detector(manifest, self.detector.session), images_rgb)


@dataclass(frozen=True, slots=True)
class ClassifierJudge:
    """Compares by the labels that are known to be right, and by the agreement of views.

    Attributes:
        classifier: The loaded model; its manifest does not matter.
        crops_rgb: The pictures.
        truths: Their right labels, or None.
        is_labelled: Whether the user labelled the pictures, so that nothing else counts.
    """

    classifier: Classifier
    crops_rgb: Sequence[ImageRGB]
    truths: Sequence[Truth] | None = None
    is_labelled: bool = False
    _scores: dict[tuple[str, InputSpec], Scores] = field(default_factory=dict)

    def margin(self, own: Manifest, other: Manifest) -> float:
        """See `Judge`."""
        by_label = 0.0
        if self.truths is not None:
            before, after = (self._score("labels", manifest) for manifest in (own, other))
            by_label = proven(before, after, MIN_LABEL_RATIO)
            if self.is_labelled or after.mean() < before.mean():
                return by_label
        before, after = (self._score("views", manifest) for manifest in (own, other))
        return max(by_label, agreement_margin(before, after))

    def _score(self, kind: str, manifest: Manifest) -> Scores:
        key = (kind, manifest.input)
        if key not in self._scores:
            classifier = make_classifier(manifest, self.classifier.session)
            self._scores[key] = (
                classifier_scores(classifier, self.crops_rgb)
                if kind == "views" or self.truths is None
                else label_scores(classifier, self.crops_rgb, self.truths)
            )
        return self._scores[key]


def agreement_margin(before: Scores, after: Scores) -> float:
    """Return how many times better the views agree, if that is proven; else 0."""
    if np.abs(before).max() < CONSTANT:
        # The same answer to every picture is no answer.
        gain = float(np.median(after))
        is_better = gain >= MIN_LOG_RATIO
    else:
        gain = float((after - before).mean())
        error = float((after - before).std(ddof=1)) / np.sqrt(len(after))
        is_better = gain >= MIN_LOG_GAIN and gain >= CROP_T * error
    return float(np.exp(min(gain, MAX_LOG_RATIO))) if is_better else 0.0


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
    if spec.dtype not in ("uint8", "int8"):
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
