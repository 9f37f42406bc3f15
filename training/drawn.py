"""A few drawn street scenes among the photos.

`scripts/draw_samples.py` draws the pictures that users without photos send first. These scenes
have the same vehicles at other places, sizes and colours on other streets; they are about 1 % of
what the detector sees in training.
"""

from __future__ import annotations

import random

import numpy as np

from scripts.draw_samples import place
from scripts.drawing.pen import RGB
from scripts.drawing.scenes import photographed, street
from scripts.drawing.vehicles import draw_box_truck, draw_bus, draw_car, draw_tipper
from training.augment import Sample
from training.completion import Target
from training.datasets import LABELS

SCENES = 24
# Far from the seeds of the sample pictures, so that none of them is drawn here again.
FIRST_SEED = 1000
SIZE_WH = (960, 640)
# What each drawing shows, and its height as a share of its length.
VEHICLES = {
    draw_car: ("car", 0.352),
    draw_bus: ("bus", 0.266),
    draw_tipper: ("truck", 0.407),
    draw_box_truck: ("truck", 0.4075),
}


def scene(seed: int) -> Sample:
    """One street with a vehicle on either half, or one large one."""
    rng = random.Random(seed)
    sheet = street(SIZE_WH, horizon=rng.uniform(230, 330), seed=seed)
    halves = rng.choice([[(20, 900)], [(10, 440), (490, 450)]])
    boxes, kinds = [], []
    for left, room in halves:
        draw = rng.choice(list(VEHICLES))
        name, shape = VEHICLES[draw]
        width = rng.uniform(0.55, 0.95) * room
        x1 = left + rng.uniform(0, room - width)
        y2 = rng.uniform(430, 600)
        colour: RGB = (rng.randint(20, 240), rng.randint(20, 240), rng.randint(20, 240))
        place(sheet, draw, colour, x1, y2, width, faces_left=rng.random() < 0.5)
        boxes.append([x1, y2 - shape * width, x1 + width, y2])
        kinds.append(LABELS.index(name))
    picture = np.asarray(photographed(sheet, seed))[..., ::-1].copy()
    target = Target(
        np.array(boxes, np.float32),
        np.eye(len(LABELS), dtype=np.float32)[kinds],
        np.ones(len(boxes), np.float32),
        np.zeros((0, 4), np.float32),
    )
    return Sample(picture, target)


def scenes() -> list[Sample]:
    """Every drawn scene of the training."""
    return [scene(FIRST_SEED + index) for index in range(SCENES)]
