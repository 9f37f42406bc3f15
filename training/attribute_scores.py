"""Figures of `vehicle_attributes` during a training, on crops that are held out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from training.attribute_crops import CARS, VALID
from training.attribute_pack import Pack
from training.attributes import MEAN, STD
from training.crops import VEHICLE_TYPES
from training.views import SIDE, plain_views

SURE = 0.8
COARSE = (224, 112, 72, 48)
"""Pixels a side that crops are shrunk to before they are enlarged again: far vehicles."""

Network = Callable[[Tensor], tuple[Tensor, ...]]


def answers(network: Network, pack: Pack, rows: Tensor, side: int, coarse: int) -> list[Tensor]:
    """Return what a network answers for the plain crops `rows`: probabilities by output."""
    parts = []
    for some in rows.split(256):
        views = plain_views(pack.pictures[some].float(), pack.boxes[some], coarse)
        if side != SIDE:
            views = F.interpolate(views, size=side, mode="bilinear", antialias=True)
        parts.append([each.softmax(1) for each in network((views - MEAN) / STD)])
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def share(right: Tensor) -> float:
    """Return the share of what is true, rounded."""
    return round(right.float().mean().item(), 4)


def sureness(said: Tensor, truth: Tensor) -> list[float]:
    """Return accuracy, the share of sure answers and how many of those are right."""
    best, first = said.max(1)
    right, sure = first == truth, best >= SURE
    return [share(right), share(sure), share(right[sure])]


@torch.no_grad()
def scores(
    network: Network, teachers: tuple[Network, Network], clean: Tensor, pack: Pack, side: int
) -> dict[str, object]:
    """Return the figures of one network, which must be in evaluation mode.

    `agree` compares makes with the teacher's on the same crop, by how sure the teacher is.
    `make_72` and similar names take as the truth what the teacher is sure of after four looks at
    the plain crop, and show the crop in 72 pixels; `teacher_72` is the teacher's answer to that.
    """
    held = pack.held_out.nonzero()[:, 0]
    sources = pack.sources[held.cpu().numpy()]
    is_car = torch.tensor([s.startswith(CARS) for s in sources], device=held.device)
    cars = held[is_car]
    brand, colours = teachers
    make, kind, colour = answers(network, pack, held, side, SIDE)
    said = answers(lambda x: (brand(x), colours(x)), pack, cars, SIDE, SIDE)
    result: dict[str, object] = {}
    for name, mine, theirs in zip(("make", "colour"), (make, colour), said, strict=True):
        agree, sure = mine[is_car].argmax(1) == theirs.argmax(1), theirs.max(1)[0] >= SURE
        result[f"{name}_agree_sure"], result[f"{name}_agree"] = share(agree[sure]), share(agree)
    best, truth = clean[cars].max(1)
    right = make[is_car].argmax(1) == truth
    bounds = (0.0, 0.2, 0.4, 0.6, 0.8, 1.01)
    result["agree"] = [
        share(right[(best >= low) & (best < high)]) for low, high in pairwise(bounds)
    ]
    sure_cars, goal = cars[best >= SURE], truth[best >= SURE]
    for coarse in COARSE:
        result[f"make_{coarse}"] = sureness(
            answers(network, pack, sure_cars, side, coarse)[0], goal
        )
        alone = answers(lambda x: (brand(x),), pack, sure_cars, SIDE, coarse)
        result[f"teacher_{coarse}"] = sureness(alone[0], goal)
    labels = pack.kinds[held].argmax(1)
    right = kind.argmax(1) == labels
    for source in sorted(set(sources)):
        chosen = torch.tensor(sources == source, device=held.device)
        if not source.startswith(CARS):
            result[source] = share(right[chosen])
    valid = torch.tensor(sources == VALID, device=held.device)
    result["valid_kinds"] = {
        name: share(right[valid & (labels == index)])
        for index, name in enumerate(VEHICLE_TYPES)
        if (valid & (labels == index)).any()
    }
    return result
