"""Figures of `vehicle_attributes` during a training, on crops that are held out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from training.attribute_crops import CARS, VALID
from training.attribute_pack import Pack
from training.attributes import MEAN, STD
from training.crops import VEHICLE_TYPES
from training.views import SIDE, plain_views

SURE = 0.8
SIDES = (224, 112, 72, 48)
"""Pixels a side that crops are shrunk to before they are enlarged again: far vehicles."""
TEACHER_BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.01)
"""Bounds of the teacher's probability."""

Network = Callable[[Tensor], tuple[Tensor, ...]]
Teacher = Callable[[Tensor], Tensor]


def predict(
    network: Network, pack: Pack, rows: Tensor, side: int, shrunk_side: int
) -> list[Tensor]:
    """Return a network's probabilities for the plain crops `rows`, one tensor per output."""
    parts = []
    for some in rows.split(256):
        views = plain_views(pack.pictures[some].float(), pack.boxes[some], shrunk_side)
        if side != SIDE:
            views = F.interpolate(views, size=side, mode="bilinear", antialias=True)
        parts.append([each.softmax(1) for each in network((views - MEAN) / STD)])
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def mean_of(right: Tensor) -> float:
    """Return the mean of booleans, rounded to four digits."""
    return round(right.float().mean().item(), 4)


def confidence_stats(predicted: Tensor, truth: Tensor) -> list[float]:
    """Return accuracy, the share of confident predictions, and the accuracy of these."""
    confidence, first = predicted.max(1)
    right, confident = first == truth, confidence >= SURE
    return [mean_of(right), mean_of(confident), mean_of(right[confident])]


@torch.no_grad()
def scores(
    network: Network, teachers: tuple[Teacher, Teacher], clean: Tensor, pack: Pack, side: int
) -> dict[str, object]:
    """Return the figures of one network, which must be in evaluation mode.

    Args:
        network: The network, with the outputs make, kind and colour.
        teachers: The teachers of makes and of colours.
        clean: The teacher's mean probabilities of makes for four views of each plain crop.
        pack: The crops.
        side: Pixels a side of the network's input.

    Returns:
        `make_agree` and `colour_agree` compare with the teacher's answer to the same crop;
        `..._agree_sure` only where the teacher is confident. `agree` is the accuracy of makes by
        the confidence of `clean`. `make_72` and similar names are `confidence_stats` of crops that
        are shrunk to 72 pixels, where `clean` is confident; `teacher_72` is the teacher's. The
        accuracy of kinds follows by source, and in `valid_kinds` by kind.
    """
    held = pack.held_out.nonzero()[:, 0]
    sources = pack.sources[held.cpu().numpy()]
    is_car = torch.tensor([s.startswith(CARS) for s in sources], device=held.device)
    cars = held[is_car]
    make, kind, colour = predict(network, pack, held, side, SIDE)
    labels = pack.kinds[held].argmax(1)
    return {
        **_agreement(teachers, pack, cars, make[is_car], colour[is_car]),
        "agree": _accuracy_by_confidence(make[is_car], clean[cars]),
        **_small_crops(network, teachers[0], clean, pack, cars, side),
        **_kind_accuracy(kind.argmax(1) == labels, labels, sources),
    }


def _agreement(
    teachers: tuple[Teacher, Teacher], pack: Pack, cars: Tensor, make: Tensor, colour: Tensor
) -> dict[str, object]:
    make_teacher, colour_teacher = teachers
    by_teachers = predict(lambda x: (make_teacher(x), colour_teacher(x)), pack, cars, SIDE, SIDE)
    result: dict[str, object] = {}
    for name, own, other in zip(("make", "colour"), (make, colour), by_teachers, strict=True):
        agree, confident = own.argmax(1) == other.argmax(1), other.max(1)[0] >= SURE
        result[f"{name}_agree_sure"] = mean_of(agree[confident])
        result[f"{name}_agree"] = mean_of(agree)
    return result


def _accuracy_by_confidence(make: Tensor, truth: Tensor) -> list[float]:
    confidence, first = truth.max(1)
    right = make.argmax(1) == first
    return [
        mean_of(right[(confidence >= low) & (confidence < high)])
        for low, high in pairwise(TEACHER_BINS)
    ]


def _small_crops(
    network: Network, teacher: Teacher, clean: Tensor, pack: Pack, cars: Tensor, side: int
) -> dict[str, object]:
    confidence, first = clean[cars].max(1)
    sure_cars, truth = cars[confidence >= SURE], first[confidence >= SURE]
    result: dict[str, object] = {}
    for shrunk_side in SIDES:
        make = predict(network, pack, sure_cars, side, shrunk_side)[0]
        result[f"make_{shrunk_side}"] = confidence_stats(make, truth)
        by_teacher = predict(lambda x: (teacher(x),), pack, sure_cars, SIDE, shrunk_side)[0]
        result[f"teacher_{shrunk_side}"] = confidence_stats(by_teacher, truth)
    return result


def _kind_accuracy(right: Tensor, labels: Tensor, sources: NDArray[np.str_]) -> dict[str, object]:
    def of_source(source: str) -> Tensor:
        return torch.tensor(sources == source, device=right.device)

    valid = of_source(VALID)
    return {
        **{
            source: mean_of(right[of_source(source)])
            for source in sorted(set(sources))
            if not source.startswith(CARS)
        },
        "valid_kinds": {
            name: mean_of(right[valid & (labels == index)])
            for index, name in enumerate(VEHICLE_TYPES)
            if (valid & (labels == index)).any()
        },
    }
