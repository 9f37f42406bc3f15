"""Other ways of preparing pictures, and which one a model answers best to.

A model that gets its pictures in another way than in training still answers, only worse, and
nothing fails. So the ways that models are trained with are tried on the user's own pictures, one
field of the manifest at a time, and a way that is clearly better is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inference.errors import ModelUnavailable
from inference.manifest import IDENTITY_MEAN, IDENTITY_STD, DetectionTask, InputSpec, Manifest

Fit = Callable[[Manifest], float]
"""How well a model answers, 0 or more; larger is better."""
Change = dict[str, Any]
"""JsonReader of `input` and their values."""

FEW_PICTURES = 8
"""With fewer only gross errors show: the drawn samples alone differ by half between inputs."""
MIN_RATIO_FEW = 3.0
NO_FIT = 1e-3
"""What a fit of nothing counts as, so that a ratio can be formed."""
ROUNDS = 3

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_CAFFE_MEAN = (104.0, 117.0, 123.0)


@dataclass(frozen=True, slots=True)
class Least:
    """How many times better another input has to fit.

    Measured on nine published models, each with its right input and with wrong ones: the right
    input was never beaten by more (docs/decisions.md).

    Attributes:
        colour: With the colours in another order.
        other: With another normalisation or resize.
    """

    colour: float
    other: float


OF_DETECTORS = Least(colour=1.08, other=1.3)
"""A wrong order of colours costs a detector a tenth to a third of its score."""
OF_LABELLED = Least(colour=1.1, other=1.1)
OF_UNLABELLED = Least(colour=2.0, other=2.0)


@dataclass(frozen=True, slots=True)
class Better:
    """An input that fits better.

    Attributes:
        changes: Per field, what the manifest says and what fits better.
        ratio: How many times better.
        reason: In words, what the change is.
    """

    changes: tuple[tuple[str, Any, Any], ...]
    ratio: float
    reason: str


def find_better(manifest: Manifest, fit: Fit, picture_count: int, least: Least) -> Better | None:
    """An input that fits clearly better than the manifest's, None where there is none.

    Args:
        manifest: The model's.
        fit: How well a manifest answers to the pictures.
        picture_count: How many they are.
        least: How many times better counts as clearly better.
    """
    if picture_count < FEW_PICTURES:
        least = Least(MIN_RATIO_FEW, MIN_RATIO_FEW)
    own = best_fit = max(fit(manifest), NO_FIT)
    best, reasons = manifest, []
    for _ in range(ROUNDS):
        tried = [
            (_fit_or_nothing(fit, changed) / ratio, reason, changed, ratio)
            for reason, changed, ratio in _neighbours(best, least)
        ]
        discounted, reason, found, ratio = max(tried, key=lambda each: each[0])
        if discounted < best_fit:
            break
        best, best_fit = found, discounted * ratio
        reasons.append(reason)
    if best is manifest:
        return None
    return Better(_differences(manifest.input, best.input), best_fit / own, ", ".join(reasons))


def _fit_or_nothing(fit: Fit, manifest: Manifest) -> float:
    try:
        return fit(manifest)
    except ModelUnavailable:
        return 0.0


def _neighbours(manifest: Manifest, least: Least) -> Iterator[tuple[str, Manifest, float]]:
    """Manifests that differ in colours, normalisation or resize.

    Each comes with the difference in words, and how many times better it has to fit.
    """
    # A classifier's resize changes what it sees by too little for this to tell.
    is_detector = isinstance(manifest.task, DetectionTask)
    for reason, change in _changes(manifest.input, resizes=is_detector):
        changed = replace(manifest.input, **change)
        if changed != manifest.input:
            ratio = least.colour if "color" in change else least.other
            yield reason, replace(manifest, input=changed), ratio


def _changes(spec: InputSpec, *, resizes: bool) -> Iterator[tuple[str, Change]]:
    other = "BGR" if spec.color == "RGB" else "RGB"
    yield f"{other} instead of {spec.color}", {"color": other}
    if spec.dtype != "uint8":
        yield from _normalisations(spec.color)
    if resizes:
        yield "stretched pictures", {"resize": "stretch"}
        gray: Change = {"resize": "letterbox", "pad_value": 114}
        yield "centred pictures over gray", {**gray, "anchor": "center"}
        yield "pictures at the top left over gray", {**gray, "anchor": "top-left"}


def _normalisations(color: str) -> Iterator[tuple[str, Change]]:
    plain: Change = {"scale": 1.0, "mean": IDENTITY_MEAN, "std": IDENTITY_STD}
    yield "values of 0..255", plain
    yield "values of 0..1", {**plain, "scale": 1 / 255}
    yield "values of -1..1", {**plain, "scale": 1 / 127.5, "mean": (1.0, 1.0, 1.0)}
    imagenet: Change = {"scale": 1 / 255, "mean": _IMAGENET_MEAN, "std": _IMAGENET_STD}
    caffe: Change = {**plain, "mean": _CAFFE_MEAN}
    turned = imagenet if color == "BGR" else caffe
    for name in ("mean", "std"):
        turned[name] = turned[name][::-1]
    yield "ImageNet's mean and deviation", imagenet
    yield "Caffe's mean", caffe


def _differences(own: InputSpec, best: InputSpec) -> tuple[tuple[str, Any, Any], ...]:
    names: Sequence[str] = ("color", "scale", "mean", "std", "resize", "anchor", "pad_value")
    return tuple(
        (name, getattr(own, name), getattr(best, name))
        for name in names
        if getattr(own, name) != getattr(best, name)
    )
