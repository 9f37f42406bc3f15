"""How well a model answers to pictures whose contents nobody wrote down, or did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.classification import Classifier, load_classifier
from inference.detection import load_detector
from inference.manifest import Manifest
from inference.types import ImageRGB
from scripts.models.product import classify, detections

MIN_CONFIDENCE = 0.25
MOST_PLAUSIBLE = 50
"""Objects in a picture, on average: a detector that sees noise finds some in every cell."""
MIN_AREA_SHARE = 0.0005
CUT_SHARE = 20
"""A twentieth of a side, for views of a crop that show the same thing."""
CONSISTENCY_POWER = 4
EPSILON = 1e-12


def detector_fit(manifest: Manifest, pictures_rgb: Sequence[ImageRGB]) -> float:
    """Sum of squared confidences per picture; 0 for more objects than pictures have."""
    detector = load_detector(manifest)
    total, count = 0.0, 0
    for image_rgb in pictures_rgb:
        found = detections(detector, image_rgb, MIN_CONFIDENCE, MIN_AREA_SHARE)
        total += sum(each.confidence**2 for each in found)
        count += len(found)
    return 0.0 if count > MOST_PLAUSIBLE * len(pictures_rgb) else total / len(pictures_rgb)


def labelled_fit(manifest: Manifest, crops_rgb: Sequence[ImageRGB], truths: Sequence[str]) -> float:
    """The mean probability of each crop's true label, 0..1."""
    classifier = load_classifier(manifest)
    probabilities = _probabilities(classifier, crops_rgb)
    labels = classifier.task.outputs[0].labels
    return float(np.mean([probabilities[i, labels.index(t)] for i, t in enumerate(truths)]))


def unlabelled_fit(manifest: Manifest, crops_rgb: Sequence[ImageRGB]) -> float:
    """How surely, steadily and variously a classifier answers; 0 for the same answer to all.

    Of each crop four views are classified that show the same. A model that gets what it was
    trained with is sure of what the views have in common, says the same of each, and says other
    things of other crops: the mutual information of crops and classes (Bridle et al. 1991,
    "Unsupervised classifiers, mutual information and phantom targets"). One whose input is too
    large is surer still, but changes its mind with every view.
    """
    classifier = load_classifier(manifest)
    views = np.stack(
        [_probabilities(classifier, [view(crop) for crop in crops_rgb]) for view in VIEWS], axis=1
    )
    consensus = views.mean(axis=1)
    sureness = float(consensus.max(axis=1).mean())
    consistency = sureness / max(float(views.max(axis=2).mean()), EPSILON)
    information = float(_entropy(consensus.mean(axis=0)) - _entropy(consensus).mean())
    return sureness * float(consistency**CONSISTENCY_POWER) * max(information, 0.0)


def _mirrored(crop_rgb: ImageRGB) -> ImageRGB:
    return crop_rgb[:, ::-1]


def _without_top_left(crop_rgb: ImageRGB) -> ImageRGB:
    return crop_rgb[crop_rgb.shape[0] // CUT_SHARE :, crop_rgb.shape[1] // CUT_SHARE :]


def _without_bottom_right(crop_rgb: ImageRGB) -> ImageRGB:
    height, width = crop_rgb.shape[:2]
    return crop_rgb[: height - height // CUT_SHARE, : width - width // CUT_SHARE]


VIEWS = (np.asarray, _mirrored, _without_top_left, _without_bottom_right)


def _probabilities(classifier: Classifier, crops_rgb: Sequence[ImageRGB]) -> NDArray[np.float64]:
    """Of the first output, [crops, classes] in the order of its labels, each row's sum 1."""
    output = classifier.task.outputs[0]
    column = {label: position for position, label in enumerate(output.labels)}
    rows = np.zeros((len(crops_rgb), len(output.labels)))
    for row, answer in zip(rows, classify(classifier, crops_rgb, len(output.labels)), strict=True):
        best = answer[output.name]
        row[[column[name] for name in best.names]] = best.probabilities
    sums: NDArray[np.float64] = rows.sum(axis=1, keepdims=True)
    return rows / np.maximum(sums, EPSILON)


def _entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """In nats, of the last axis."""
    return np.asarray(-(probabilities * np.log(probabilities + EPSILON)).sum(axis=-1))
