"""Fine-tune the front of MobileNetV2 to the seven vehicle types.

`python -m training.train classifier` runs this; see there for the options.
"""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training import datasets
from training.checkpoints import Checkpoint
from training.crops import (
    SMALLEST_CROP,
    VEHICLE_TYPES,
    Crop,
    ImageNetOpinion,
    distort,
    labelled_photo_crops,
    license_plate_crops,
    normalised,
    resized,
    vehicle6,
)
from training.mobilenet import EARLY_STAGES, MobileNet, from_imagenet
from training.places import Places
from training.progress import Progress
from training.train_detector import cosine_rate, update_average


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out of a training."""

    steps: int = 1500
    batch: int = 48
    rate: float = 5e-4
    last_factor: float = 4.0
    weight_decay: float = 0.02
    warm_up: int = 60
    average_decay: float = 0.995
    smoothing: float = 0.05
    mixup: float = 0.5
    freeze_early: int = 0
    vehicle6_share: float = 0.25
    save_every: int = 100
    seed: int = 11


# Cars are most of what a street photo shows, the other types are drawn alike.
CAR_FACTOR = 2.0
# A crop is drawn at most so much oftener than it would be by chance.
MOST_REPEATED = 8.0


def weights(crops: list[Crop], vehicle6_share: float) -> list[float]:
    """How often each crop is drawn: types nearly alike, photos ahead of vehicle6.

    Where photos show a type too, `vehicle6_share` of its crops come from vehicle6's one camera.
    """
    kinds = np.array([int(crop.types.argmax()) for crop in crops])
    camera = np.array([crop.source == "vehicle6" for crop in crops])
    result = np.zeros(len(crops))
    for kind, name in enumerate(VEHICLE_TYPES):
        factor = CAR_FACTOR if name == "car" else 1.0
        photos, views = (kinds == kind) & ~camera, (kinds == kind) & camera
        share = vehicle6_share if photos.any() and views.any() else float(views.any())
        result[views] = factor * share / max(views.sum(), 1)
        result[photos] = factor * (1 - share) / max(photos.sum(), 1)
    return np.minimum(result, MOST_REPEATED * result.sum() / len(crops)).tolist()


def tensor_of(pictures: list[np.ndarray]) -> Tensor:
    """Pictures (SIDE, SIDE, 3) uint8 BGR as the network's input."""
    return torch.from_numpy(normalised(np.stack(pictures)))


@torch.no_grad()
def accuracy(network: MobileNet, crops: list[Crop]) -> dict[str, float]:
    """Share of right answers by source."""
    network.eval()
    hits: dict[str, list[bool]] = {}
    for start in range(0, len(crops), 64):
        part = crops[start : start + 64]
        answers = network(tensor_of([resized(crop.cut()) for crop in part])).argmax(1).tolist()
        for crop, answer in zip(part, answers, strict=True):
            hits.setdefault(crop.source, []).append(answer == int(crop.types.argmax()))
    return {source: round(float(np.mean(values)), 4) for source, values in sorted(hits.items())}


def training_crops(places: Places) -> tuple[list[Crop], list[Crop]]:
    """Crops to train on, and those held out for choices."""
    answers = json.loads(places.teachers.read_text())
    photos = datasets.vehicles_openimages(places.data, "train")
    labelled = labelled_photo_crops([*photos, *datasets.coco128(places.data)], SMALLEST_CROP)
    every = [*labelled, *vehicle6(places.data), *license_plate_crops(places.data, answers)]
    kept = [crop for crop in every if not datasets.is_held_out(crop.group)]
    held = [crop for crop in every if datasets.is_held_out(crop.group)]
    opinion = ImageNetOpinion(places.models)
    return [crop if crop.source == "vehicle6" else opinion(crop) for crop in kept], held


def train(places: Places, recipe: Recipe) -> None:
    """Train into `places.folder`; a checkpoint of the same recipe there is taken up again."""
    torch.manual_seed(recipe.seed)
    cv2.setNumThreads(1)
    folder, device = places.folder, places.device
    folder.mkdir(parents=True, exist_ok=True)
    crops, held = training_crops(places)
    chances = weights(crops, recipe.vehicle6_share)
    network = from_imagenet(
        places.models / "mobilenet_v2_quant" / "mobilenet_v2_1.0_224_quant.onnx"
    ).to(device)
    if places.start:
        network.load_state_dict(torch.load(places.start, map_location=device, weights_only=True))
    network.features[: EARLY_STAGES if recipe.freeze_early else 0].requires_grad_(False)
    average = copy.deepcopy(network)
    rule = torch.optim.AdamW(
        [
            {"params": network.features.parameters(), "factor": 1.0},
            {"params": network.last.parameters(), "factor": recipe.last_factor},
        ],
        lr=recipe.rate,
        weight_decay=recipe.weight_decay,
    )
    checkpoint = Checkpoint(folder, recipe, network, average, rule)
    first = checkpoint.resume(device)
    print(f"{len(crops)} crops, {len(held)} held out, from step {first}", flush=True)
    progress = Progress(recipe.steps, first)
    for step in range(first, recipe.steps):
        loss = _one_step(network, rule, crops, chances, step, recipe, device)
        update_average(average, network, step, recipe.average_decay)
        if (step + 1) % 25 == 0:
            print(progress.line(step + 1), f"loss {loss:.3f}", flush=True)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            checkpoint.save(step + 1, accuracy(average, held))


def _one_step(
    network: MobileNet,
    rule: torch.optim.AdamW,
    crops: list[Crop],
    chances: list[float],
    step: int,
    recipe: Recipe,
    device: str,
) -> float:
    rng = random.Random(recipe.seed * 1_000_003 + step)
    for group in rule.param_groups:
        rate = cosine_rate(step, recipe.steps, recipe.warm_up)
        group["lr"] = recipe.rate * rate * group["factor"]
    drawn = rng.choices(crops, chances, k=recipe.batch)
    images = tensor_of([distort(crop, rng) for crop in drawn]).to(device)
    types = torch.from_numpy(np.stack([crop.types for crop in drawn])).to(device)
    if rng.random() < recipe.mixup:
        # mixup (arXiv 1710.09412): each crop shines through another, and so do their types.
        share = rng.betavariate(0.4, 0.4)
        images = share * images + (1 - share) * images.flip(0)
        types = share * types + (1 - share) * types.flip(0)
    network.train()
    loss = F.cross_entropy(network(images), types, label_smoothing=recipe.smoothing)
    rule.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    rule.step()
    return float(loss.item())
