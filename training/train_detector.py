"""Fine-tune YOLOX-nano to the seven classes of the detector.

`python -m training.train detector` runs this; see there for the options.
"""

from __future__ import annotations

import copy
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from training import datasets, drawn
from training.augment import Sample, alone, mosaic
from training.average_precision import Found, Truth, average_precision
from training.checkpoints import Checkpoint
from training.completion import complete
from training.detection import detect
from training.loss import Wanted, detection_loss
from training.places import Places
from training.progress import Progress
from training.yolox import Exported, YoloxNano, cell_grid, from_coco


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out of a training."""

    steps: int = 1500
    batch: int = 16
    sides: tuple[int, ...] = (352, 384, 416, 448)
    mosaic_share: float = 0.5
    mosaic_until: float = 0.85
    rate: float = 2e-4
    backbone_factor: float = 0.25
    predictor_factor: float = 3.0
    weight_decay: float = 1e-4
    warm_up: int = 60
    average_decay: float = 0.998
    scene_weight: float = 0.25
    save_every: int = 150
    seed: int = 7


# How often a picture of a data set is drawn; rarer types of vehicles_openimages twice.
DRAWN_OFTEN = {"vehicles_openimages": 1.0, "license_plates": 0.4, "coco128": 1.0}
RARE_FACTOR = 2.0


def labelled_names() -> list[int]:
    """The classes of `LABELS` that vehicles_openimages labels."""
    return [datasets.LABELS.index(name) for name in datasets.VEHICLES_OPENIMAGES_LABELS]


def mean_precision(network: YoloxNano, examples: list[datasets.Example]) -> dict[str, float]:
    """AP50 by class on pictures of vehicles_openimages, and the means over 4 and 5 classes."""
    answer = Exported(network).eval()

    def run(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(answer(torch.from_numpy(images)).numpy())

    found: list[Found] = []
    truth: list[Truth] = []
    for example in examples:
        found.append(detect(run, datasets.read_picture(example.path)))
        truth.append(Truth(example.boxes_xyxy, example.classes))
    kinds = labelled_names()
    scores = {datasets.LABELS[kind]: average_precision(found, truth, kind) for kind in kinds}
    four = [value for name, value in scores.items() if name != "ambulance"]
    scores["four"], scores["five"] = float(np.mean(four)), float(np.mean(list(scores.values())))
    return {name: round(value, 4) for name, value in scores.items()}


def training_pictures(data: Path) -> tuple[list[datasets.Example], list[datasets.Example]]:
    """Pictures to train on, and those of vehicles_openimages held out for choices.

    Nothing of coco128 is held out: the COCO start has seen all of it, so it can't be a test.
    """
    photos = datasets.vehicles_openimages(data, "train")
    kept = [example for example in photos if not datasets.is_held_out(example.key)]
    held = [example for example in photos if datasets.is_held_out(example.key)]
    return [*kept, *datasets.license_plates(data), *datasets.coco128(data)], held


class Source:
    """Draws augmented batches; the same seed draws the same batches."""

    def __init__(self, examples: list[datasets.Example], teachers: Path, recipe: Recipe) -> None:
        answers = json.loads(teachers.read_text())
        self._samples = [
            Sample(datasets.read_picture(example.path), complete(example, answers[example.key]))
            for example in examples
        ]
        self._weights = [self._weight(example) for example in examples]
        scenes = drawn.scenes()
        self._samples += scenes
        self._weights += [recipe.scene_weight] * len(scenes)
        self._recipe = recipe

    @staticmethod
    def _weight(example: datasets.Example) -> float:
        car = datasets.LABELS.index("car")
        rare = example.source == "vehicles_openimages" and car not in example.classes
        return DRAWN_OFTEN[example.source] * (RARE_FACTOR if rare else 1)

    def batch(self, step: int) -> tuple[Tensor, list[Wanted]]:
        """Pictures (n, 3, side, side) and targets of training step `step`."""
        recipe, rng = self._recipe, random.Random(self._recipe.seed * 1_000_003 + step)
        side = rng.choice(recipe.sides)
        early = step < recipe.mosaic_until * recipe.steps
        share = recipe.mosaic_share if early else 0.0
        picked = []
        for _ in range(recipe.batch):
            four = rng.choices(self._samples, self._weights, k=4)
            picked.append(
                mosaic(four, side, rng) if rng.random() < share else alone(four[0], side, rng)
            )
        pictures = np.stack([sample.picture_bgr.transpose(2, 0, 1) for sample in picked])
        wanted = [
            Wanted(
                *(
                    torch.from_numpy(np.ascontiguousarray(value, np.float32))
                    for value in (
                        sample.target.boxes_xyxy,
                        sample.target.kinds,
                        sample.target.objectness,
                        sample.target.ignored_xyxy,
                    )
                )
            )
            for sample in picked
        ]
        return torch.from_numpy(pictures).float(), wanted


def optimiser(network: YoloxNano, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW: slow in the backbone, fast in the last layers; the first stages stay frozen."""
    for module in (network.backbone.stem, network.backbone.dark2):
        module.requires_grad_(False)
    groups: dict[float, list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = recipe.backbone_factor if name.startswith("backbone.") else 1.0
        factor = recipe.predictor_factor if "cls_pred" in name else factor
        groups.setdefault(factor, []).append(parameter)
    return torch.optim.AdamW(
        [{"params": group, "factor": factor} for factor, group in groups.items()],
        lr=recipe.rate,
        weight_decay=recipe.weight_decay,
    )


def cosine_rate(step: int, steps: int, warm_up: int) -> float:
    """Share of the full learning rate: linear warm-up, then half a cosine down to 3 %."""
    if step < warm_up:
        return (step + 1) / warm_up
    share = (step - warm_up) / max(steps - warm_up, 1)
    return 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * share))


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, step: int, decay: float) -> None:
    """Move the running average of the weights one step towards the present ones."""
    keep = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(value, 1 - keep)


def train(places: Places, recipe: Recipe) -> None:
    """Train into `places.folder`; a checkpoint of the same recipe there is taken up again."""
    torch.manual_seed(recipe.seed)
    cv2.setNumThreads(1)
    folder, device = places.folder, places.device
    folder.mkdir(parents=True, exist_ok=True)
    examples, held_out = training_pictures(places.data)
    source = Source(examples, places.teachers, recipe)
    network = from_coco(places.models / "yolox_nano" / "yolox_nano.onnx")
    if places.start:
        network.load_state_dict(torch.load(places.start, map_location="cpu", weights_only=True))
    network.to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    rule = optimiser(network, recipe)
    checkpoint = Checkpoint(folder, recipe, network, average, rule)
    first = checkpoint.resume(device)
    print(f"{len(examples)} pictures, {len(held_out)} held out, from step {first}", flush=True)
    progress = Progress(recipe.steps, first)
    for step in range(first, recipe.steps):
        parts = _one_step(network, source, rule, step, recipe, device)
        update_average(average, network, step, recipe.average_decay)
        if (step + 1) % 25 == 0:
            print(progress.line(step + 1), {k: round(v, 3) for k, v in parts.items()}, flush=True)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            checkpoint.save(step + 1, mean_precision(average, held_out))


def _one_step(
    network: YoloxNano,
    source: Source,
    rule: torch.optim.AdamW,
    step: int,
    recipe: Recipe,
    device: str,
) -> dict[str, float]:
    for group in rule.param_groups:
        share = cosine_rate(step, recipe.steps, recipe.warm_up)
        group["lr"] = recipe.rate * share * group["factor"]
    images, wanted = source.batch(step)
    images = images.to(device, memory_format=torch.channels_last)
    # bfloat16 activations are a third faster on CPUs that have it; the weights stay float32.
    with torch.autocast(device, torch.bfloat16):
        raw = network(images)
    grid = cell_grid(images.shape[2], images.shape[3]).to(device)
    loss, parts = detection_loss(raw.float(), grid, wanted)
    rule.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    rule.step()
    return parts
