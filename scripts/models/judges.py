"""Compare manifests of one model on the user's pictures.

True boxes and labels are the strongest evidence. Without them, views of one picture must get the
same answers; see `agreement`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from inference.classification import Classifier, make_classifier
from inference.detection import Detector, make_detector
from inference.manifest import InputSpec, Manifest
from inference.types import ImageRGB
from scripts.models.agreement import (
    Found,
    Scores,
    classifier_views,
    confidence_gains,
    detector_scores,
    find,
    find_in_views,
    label_scores,
    view_scores,
)
from scripts.models.evidence import NOTHING, Evidence, paired, standard_errors, strongest
from scripts.models.labelled import NamedBox
from scripts.models.precision import Judged, judged, precision_gain
from scripts.models.truths import Truth

SCREENED = 6
"""Pictures that must be better before the others are tried."""
MIN_RATIO = 1.15
"""A detector's agreement must grow by this factor."""
MIN_ERRORS = 2.5
MIN_GAIN = 0.04
"""Confidence that objects must gain by another order of the colours."""
MIN_OBJECTS = 20
OBJECT_ERRORS = 5.0
"""Views and neighbouring objects are not independent, so more is required than of pictures."""
SCREENED_TRUE = 16
MIN_SCREENED = 0.7
"""Share of the precision that a few labelled pictures must reach before the others are tried."""
MIN_PRECISION = 0.01
MIN_PRECISION_RATIO = 1.07
PRECISION_ERRORS = 3.5
SCREENED_CROPS = 64
MIN_LABEL_RATIO = 1.03
LABEL_ERRORS = 3.5
CONSTANT = 0.05
"""Agreement (in nats) of every picture, if a classifier answers all of them alike."""
MIN_CONSTANT_GAIN = 0.25
"""Agreement (in nats) that another input must reach, if the manifest's answers are all alike."""
MIN_AGREEMENT = 0.1
AGREEMENT_ERRORS = 4.0
"""A classifier's agreement must grow by this much (in nats), and by this many standard errors."""
MAX_AGREEMENT = 10.0
MIN_KEPT_AGREEMENT = 0.5
"""Share of the agreement that must stay if the labels are not the user's."""


PRECISION = "precision on the labelled pictures"
RIGHT_LABELS = "probability of the right labels"
VIEWS = "agreement of views"


class Judge(Protocol):
    """Compares manifests of one model on the user's pictures."""

    def evidence(self, own: Manifest, other: Manifest) -> Evidence:
        """Return how much better `other` is."""
        ...


@dataclass(frozen=True, slots=True)
class TrueBoxJudge:
    """Compares a detector's precision on labelled pictures.

    Attributes:
        detector: The loaded model; its manifest does not matter.
        pictures: Pixels and true boxes.
        meanings: The model's labels that mean a true class, by its lower-case name.
        views: Compares where the labels cannot decide.
        can_prove: Whether there are enough boxes for a proof; a few can only contradict.
    """

    detector: Detector
    pictures: Sequence[tuple[ImageRGB, Sequence[NamedBox]]]
    meanings: Mapping[str, frozenset[str]]
    views: Judge
    can_prove: bool = True
    _judged: dict[InputSpec, list[Judged]] = field(default_factory=dict)

    def evidence(self, own: Manifest, other: Manifest) -> Evidence:
        """See `Judge`."""
        few = [self._judge(each, SCREENED_TRUE) for each in (own, other)]
        before, after, _ = precision_gain(*few)
        if after < MIN_SCREENED * before:
            return NOTHING
        before, after, errors = precision_gain(
            *(self._judge(each, len(self.pictures)) for each in (own, other))
        )
        ratio = after / max(before, MIN_PRECISION)
        if not self.can_prove:
            return self.views.evidence(own, other) if after >= before else NOTHING
        true = Evidence(ratio, errors, MIN_PRECISION_RATIO, PRECISION_ERRORS, PRECISION)
        # Labels that cannot decide must not contradict.
        undecided = errors > 0 and not true.is_proven
        return strongest([true, self.views.evidence(own, other)]) if undecided else true

    def _judge(self, manifest: Manifest, count: int) -> list[Judged]:
        """Return the first pictures, which are kept for the next call."""
        done = self._judged.setdefault(manifest.input, [])
        detector = make_detector(manifest, self.detector.session)
        for image_rgb, truths in self.pictures[len(done) : count]:
            done.append(judged(find(detector, image_rgb), truths, self.meanings))
        return done[:count]


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

    def evidence(self, own: Manifest, other: Manifest) -> Evidence:
        """See `Judge`."""
        if other.input.color != own.input.color:
            first = _colours(*(self._find(each, self.images_rgb) for each in (own, other)))
            if first.errors <= 0:
                return NOTHING
            images_rgb = [*self.images_rgb, *self.more_rgb]
            return _colours(*(self._find(each, images_rgb) for each in (own, other)))
        # Most settings are clearly worse, which a few pictures show.
        before, after = self._scores(own, other, self.images_rgb[:SCREENED])
        if after.mean() <= before.mean():
            return NOTHING
        return compared(*self._scores(own, other, self.images_rgb), MIN_RATIO, MIN_ERRORS)

    def _scores(
        self, own: Manifest, other: Manifest, images_rgb: Sequence[ImageRGB]
    ) -> tuple[Scores, Scores]:
        before, after = (self._find(each, images_rgb) for each in (own, other))
        return detector_scores(before), detector_scores(after)

    def _find(self, manifest: Manifest, images_rgb: Sequence[ImageRGB]) -> list[list[Found]]:
        """Return the objects of the first pictures, which are kept for the next call."""
        found = self._found.setdefault(manifest.input, [])
        detector = make_detector(manifest, self.detector.session)
        found += find_in_views(detector, images_rgb[len(found) :])
        return found[: len(images_rgb)]


def _colours(before: list[list[Found]], after: list[list[Found]]) -> Evidence:
    gains = confidence_gains(before, after)
    if len(gains) < MIN_OBJECTS:
        return NOTHING
    return Evidence(
        1 + float(gains.mean()), standard_errors(gains), 1 + MIN_GAIN, OBJECT_ERRORS, VIEWS
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClassifierJudge:
    """Compares by the labels that are known to be right, and by the agreement of views.

    Attributes:
        classifier: The loaded model; its manifest does not matter.
        crops_rgb: The pictures.
        truths: The right labels of every crop by output, as far as known.
        is_labelled: Whether the user labelled the pictures, so that nothing else counts.
    """

    classifier: Classifier
    crops_rgb: Sequence[ImageRGB]
    truths: Mapping[str, Sequence[Truth]] = field(default_factory=dict)
    is_labelled: bool = False
    _views: dict[InputSpec, dict[str, Scores]] = field(default_factory=dict)

    def evidence(self, own: Manifest, other: Manifest) -> Evidence:
        """See `Judge`."""
        few = min(SCREENED_CROPS, len(self.crops_rgb))
        first = self._compare(own, other, few)
        if first.errors <= 0:
            return NOTHING
        return self._compare(own, other, len(self.crops_rgb))

    def _compare(self, own: Manifest, other: Manifest, count: int) -> Evidence:
        """Return the evidence of the first crops."""
        before, after = self._answers(own, count), self._answers(other, count)
        found, is_worse = [NOTHING], False
        for output in self.classifier.task.outputs:
            truths = self.truths.get(output.name, ())[:count]
            if not any(truths):
                continue
            old, new = (
                label_scores(each[output.name], output.labels, truths) for each in (before, after)
            )
            is_worse |= bool(new.mean() < old.mean())
            ratio = float(new.mean() / max(old.mean(), MIN_PRECISION)) ** 2
            found.append(paired(new - old, ratio, MIN_LABEL_RATIO, LABEL_ERRORS, RIGHT_LABELS))
        if self.is_labelled:
            return strongest(found)
        old, new = (_joint_agreement(each) for each in (before, after))
        # Most vehicles are cars, so a constant answer can have most of the supposed labels.
        if new.mean() < MIN_KEPT_AGREEMENT * old.mean():
            return NOTHING
        return strongest(found if is_worse else [*found, agreement_evidence(old, new)])

    def _answers(self, manifest: Manifest, count: int) -> dict[str, Scores]:
        """Return the probabilities in all views of the first crops, which are kept."""
        kept = self._views.setdefault(manifest.input, {})
        done = next((each.shape[1] for each in kept.values()), 0)
        if done < count:
            classifier = make_classifier(manifest, self.classifier.session)
            more = classifier_views(classifier, self.crops_rgb[done:count])
            for name, views in more.items():
                kept[name] = np.concatenate([kept[name], views], axis=1) if done else views
        return {name: views[:, :count] for name, views in kept.items()}


def _joint_agreement(views: Mapping[str, Scores]) -> Scores:
    """Return the agreement of each crop's views, as the sum over the outputs."""
    return np.asarray(np.sum([view_scores(each) for each in views.values()], axis=0))


def agreement_evidence(before: Scores, after: Scores) -> Evidence:
    """Return how much better a classifier's views agree."""
    if np.abs(before).max() < CONSTANT:
        # The same answer to every picture is no answer.
        ratio = float(np.exp(np.clip(np.median(after), 0, MAX_AGREEMENT)))
        return Evidence(ratio, np.inf, float(np.exp(MIN_CONSTANT_GAIN)), AGREEMENT_ERRORS, VIEWS)
    gain = float((after - before).mean())
    ratio = float(np.exp(min(gain, MAX_AGREEMENT)))
    return paired(after - before, ratio, float(np.exp(MIN_AGREEMENT)), AGREEMENT_ERRORS, VIEWS)


def compared(before: Scores, after: Scores, min_ratio: float, min_errors: float) -> Evidence:
    """Return the evidence of scores per picture.

    Differences are relative, so that pictures with many objects do not decide alone.
    """
    ratio = float(after.mean() / max(before.mean(), 1e-3))
    relative = (after - before) / (after + before + 0.1)
    return paired(relative, ratio, min_ratio, min_errors, VIEWS)
