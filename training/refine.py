"""Second stage of `vehicle_attributes`, made for CPUs: `python -m training.refine --start ...`.

The kinds of the first stage are learnt from few photos. Here the late blocks of the context trunk
and the kind layer also learn from the former kind classifier (`mobilenet.py`): its answers and its
features, on views that are drawn once. The early blocks stay as they are, so that their
answer for a view is computed once, too. The colours stay those of the first stage.
"""

from __future__ import annotations

import argparse
import copy
import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training import datasets
from training.attribute_crops import CARS, VALID, every_crop
from training.attributes import CONTEXT_SIDE, VehicleAttributes, unfolded
from training.crops import SIDE as TEACHER_SIDE
from training.crops import VEHICLE_TYPES, Crop, distort, normalised, resized, square
from training.mobilenet import FEATURES as TEACHER_FEATURES
from training.mobilenet import MobileNet, read_teacher
from training.mobilenetv3 import FEATURES, Trunk
from training.train_attributes import balanced

FROZEN_BLOCKS = 3
VIEWS = 15_360
BATCH = 64
HEAD_FACTOR = 4.0
"""Rate of the last layers, as a multiple of the blocks' rate."""
TEMPERATURE = 2.0
WEIGHTS = {"kind": 1.0, "answers": 2.0, "features": 4.0, "colour": 1.0}
WARM_UP = 30
AVERAGE_DECAY = 0.985
# Shares of the draws: kinds alike, cars, photos that people labelled.
BALANCED, ORDINARY, LABELLED = 0.6, 0.15, 0.25


class Late(nn.Module):
    """The trained part: output of the frozen blocks -> kind, colour, the teacher's features."""

    def __init__(self, network: VehicleAttributes) -> None:
        super().__init__()
        trunk = network.context_trunk
        self.blocks, self.last = trunk.blocks[FROZEN_BLOCKS:], trunk.last
        self.kind, self.colour = network.kind, network.colour
        self.features = nn.Linear(FEATURES, TEACHER_FEATURES)
        self.dropout = nn.Dropout(0.2)

    def forward(self, early: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (n, 7), (n, 14) and features (n, 160)."""
        pooled = F.hardswish(self.last(self.blocks(early))).mean((2, 3))
        return self.kind(self.dropout(pooled)), self.colour(pooled), self.features(pooled)


def early(trunk: Trunk, images: Tensor) -> Tensor:
    """Return what the frozen blocks make of images (n, 3, side, side)."""
    return trunk.blocks[:FROZEN_BLOCKS](F.hardswish(trunk.stem(images)))


@dataclass(frozen=True, slots=True)
class Views:
    """Views and the answers of the teachers, one row per view.

    Attributes:
        early: Output of the frozen blocks.
        kinds: Labels, shares of `VEHICLE_TYPES`.
        answers: The kind teacher's logits.
        features: The kind teacher's features.
        colours: Probabilities of colours by the first stage.
    """

    early: Tensor
    kinds: Tensor
    answers: Tensor
    features: Tensor
    colours: Tensor


def draw_chances(crops: list[Crop]) -> Tensor:
    """Return how often each crop is drawn, (n,)."""
    kinds = torch.tensor([int(crop.types.argmax()) for crop in crops])
    everything = torch.ones(len(crops), dtype=torch.bool)
    camera = torch.tensor([crop.source == "vehicle6" for crop in crops])
    alike = balanced(kinds, everything, camera, 0.3)
    cars = (kinds == VEHICLE_TYPES.index("car")) & ~camera
    people = torch.tensor([crop.source == "vehicles_openimages" for crop in crops])
    return (
        BALANCED * alike / alike.sum()
        + ORDINARY * cars / cars.sum()
        + LABELLED * people / people.sum()
    )


@torch.no_grad()
def draw_views(
    crops: list[Crop], network: VehicleAttributes, teacher: MobileNet, seed: int
) -> Views:
    """Draw views and ask the teachers about them."""
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    drawn = torch.multinomial(draw_chances(crops), VIEWS, True, generator=generator).tolist()
    whole = Late(network).eval()
    parts: list[tuple[Tensor, ...]] = []
    for start in range(0, VIEWS, BATCH):
        some = [crops[index] for index in drawn[start : start + BATCH]]
        views = [distort(crop, rng, CONTEXT_SIDE) for crop in some]
        squares = np.stack([square(view, CONTEXT_SIDE) for view in views])
        stretched = np.stack([resized(view, TEACHER_SIDE) for view in views])
        seen = early(network.context_trunk, torch.from_numpy(normalised(squares)))
        answers, features = teacher(torch.from_numpy(normalised(stretched)))
        kinds = torch.from_numpy(np.stack([crop.types for crop in some]))
        parts.append((seen, kinds, answers, features, whole(seen)[1].softmax(1)))
    return Views(*(torch.cat(part) for part in zip(*parts, strict=True)))


def loss_of(late: Late, views: Views, rows: Tensor) -> Tensor:
    """Return the loss of a batch."""
    kind, colour, features = late(views.early[rows])
    softened = (views.answers[rows] / TEMPERATURE).softmax(1)
    parts = {
        "kind": F.cross_entropy(kind, views.kinds[rows], label_smoothing=0.05),
        "answers": F.kl_div((kind / TEMPERATURE).log_softmax(1), softened, reduction="batchmean"),
        "features": (1 - F.cosine_similarity(features, views.features[rows])).mean(),
        "colour": F.kl_div(colour.log_softmax(1), views.colours[rows], reduction="batchmean"),
    }
    return torch.stack([WEIGHTS[name] * part for name, part in parts.items()]).sum()


def refine(network: VehicleAttributes, views: Views, steps: int, rate: float, seed: int) -> None:
    """Train the late blocks of `network`; it ends as the running average of the steps."""
    torch.manual_seed(seed)
    late = Late(network)
    average = copy.deepcopy(late)
    heads = [late.kind, late.colour, late.features]
    groups = [
        {"params": [*late.blocks.parameters(), *late.last.parameters()], "factor": 1.0},
        {"params": [p for head in heads for p in head.parameters()], "factor": HEAD_FACTOR},
    ]
    rule = torch.optim.AdamW(groups, lr=rate, weight_decay=0.05)
    late.train()
    for step in range(steps):
        fall = 0.5 * (1 + math.cos(math.pi * step / steps)) * min((step + 1) / WARM_UP, 1)
        for group in rule.param_groups:
            group["lr"] = rate * group["factor"] * fall
        loss = loss_of(late, views, torch.randint(len(views.kinds), (BATCH,)))
        rule.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(late.parameters(), 5.0)
        rule.step()
        decay = min(AVERAGE_DECAY, (step + 1) / (step + 10))
        with torch.no_grad():
            pairs = zip(average.state_dict().values(), late.state_dict().values(), strict=True)
            for mine, theirs in pairs:
                mine.copy_(torch.lerp(mine.float(), theirs.float(), 1 - decay))
        if (step + 1) % 50 == 0:
            print(f"{step + 1}/{steps} loss {loss.item():.3f}", flush=True)
    late.load_state_dict(average.state_dict())


def main() -> None:
    """Read the options and refine a checkpoint of the first stage, or one of this stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="averageN.pt of the first stage")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--models", type=Path, default=datasets.DEFAULT_MODELS)
    options = parser.parse_args()
    weights = torch.load(options.start, map_location="cpu", weights_only=True)
    network = unfolded(weights)
    crops = [
        crop
        for crop in every_crop(options.data, options.models)
        if crop.source != VALID and crop.types.sum() and not datasets.is_held_out(crop.group)
    ]
    print(f"{len(crops)} crops, of them {sum(c.source.startswith(CARS) for c in crops)} of cars")
    views = draw_views(crops, network, read_teacher(), options.seed)
    refine(network, views, options.steps, options.rate, options.seed)
    torch.save(network.state_dict(), options.out)


if __name__ == "__main__":
    main()
