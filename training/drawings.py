"""Make the network unsure of drawn cars: `python -m training.drawings --start ... --out ...`.

Cars that `scripts/drawing` draws have no make, but the network names some with 0.97. Only the last
layer of makes is trained: to flatten its answers to drawings, and to keep those to photos. The
result is blended with the start, which keeps more of the answers to photos.
"""

from __future__ import annotations

import argparse
import copy
import random
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training import datasets
from training.attribute_crops import car_crops, drawn_crops
from training.attributes import SIDE, VehicleAttributes, unfolded
from training.crops import VEHICLE_TYPES, Crop, normalised, square

PHOTOS = 5_500
LOOKS = 8
"""Views of each drawing."""
JITTER = 0.05
FLATTENED = 4.0
"""Logits of a drawing's make are divided by this."""
PHOTO_WEIGHT = 10.0
STEPS, RATE = 800, 1e-4
PHOTO_BATCH, DRAWN_BATCH = 256, 64
BLEND = 0.8
"""Weight of the result, the rest is the start's."""


def view(crop: Crop, rng: random.Random) -> np.ndarray:
    """Return the crop with moved sides, mirrored half of the time, as the network's input."""
    height, width = crop.picture_bgr.shape[:2]
    x1, y1, x2, y2 = crop.box
    moved = [
        value + rng.uniform(-JITTER, JITTER) * size
        for value, size in zip(crop.box, (x2 - x1, y2 - y1) * 2, strict=True)
    ]
    left, top = int(max(moved[0], 0)), int(max(moved[1], 0))
    right, bottom = int(min(moved[2], width)), int(min(moved[3], height))
    picture = crop.picture_bgr[top : max(bottom, top + 2), left : max(right, left + 2)]
    return square(picture[:, ::-1] if rng.random() < 0.5 else picture, SIDE)


@torch.no_grad()
def embeddings(network: VehicleAttributes, crops: list[Crop], rng: random.Random) -> Tensor:
    """Return what the last layer of makes sees of one view of each crop, (n, EMBEDDING)."""
    parts = []
    for start in range(0, len(crops), 32):
        views = np.stack([view(crop, rng) for crop in crops[start : start + 32]])
        features = network.make_trunk(torch.from_numpy(normalised(views)))
        parts.append(F.hardswish(network.make_embedding(features)))
    return torch.cat(parts)


def flattened(layer: nn.Linear, photos: Tensor, drawings: Tensor) -> nn.Linear:
    """Return a layer that is unsure of drawings and answers for photos as `layer` does."""
    with torch.no_grad():
        keep = layer(photos).softmax(1)
        flat = (layer(drawings) / FLATTENED).softmax(1)
    result = copy.deepcopy(layer)
    rule = torch.optim.Adam(result.parameters(), lr=RATE)
    for _ in range(STEPS):
        some = torch.randint(len(photos), (PHOTO_BATCH,))
        drawn = torch.randint(len(drawings), (DRAWN_BATCH,))
        photo_loss = F.kl_div(
            result(photos[some]).log_softmax(1), keep[some], reduction="batchmean"
        )
        drawn_loss = F.kl_div(
            result(drawings[drawn]).log_softmax(1), flat[drawn], reduction="batchmean"
        )
        rule.zero_grad()
        (PHOTO_WEIGHT * photo_loss + drawn_loss).backward()
        rule.step()
    return result


def main() -> None:
    """Read a checkpoint, change its last layer of makes, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    options = parser.parse_args()
    rng = random.Random(1)
    torch.manual_seed(0)
    network = unfolded(torch.load(options.start, map_location="cpu", weights_only=True))
    photos = rng.sample(list(car_crops(options.data, held_out=False)), PHOTOS)
    car = VEHICLE_TYPES.index("car")
    drawings = [crop for crop in drawn_crops() if crop.types.argmax() == car]
    seen = embeddings(network, photos, rng), embeddings(network, drawings * LOOKS, rng)
    changed = flattened(network.make, *seen)
    with torch.no_grad():
        for mine, theirs in zip(network.make.parameters(), changed.parameters(), strict=True):
            mine.lerp_(theirs, BLEND)
    torch.save(network.state_dict(), options.out)


if __name__ == "__main__":
    main()
