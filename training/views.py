"""Random views of crops, made on the device that trains: box jitter, mirror, blur, light.

A view is what the run time would cut: the crop in the middle of a black square ("square-pad").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 224
"""Sides of the stored pictures and of the views, pixels."""


@dataclass(frozen=True, slots=True)
class Mildness:
    """Strengths by which views differ from the plain crop.

    `jitter` moves each side of the box by a share of its size, `coarse` is the share of views
    that lose detail, `smallest` the fewest pixels that are left of such a side, `light` the
    reach of brightness, contrast and saturation factors around 1.
    """

    jitter: float = 0.06
    coarse: float = 0.4
    smallest: int = 48
    light: float = 0.25


PLAIN = Mildness(0.0, 0.0, SIDE, 0.0)


def cut(pictures: Tensor, boxes: Tensor, mirrored: Tensor) -> tuple[Tensor, Tensor]:
    """Return boxes of pictures in black squares (n, 3, SIDE, SIDE), 0..255, and their masks.

    `pictures` (n, 3, SIDE, SIDE) float, `boxes` (n, 4) pixels, `mirrored` (n,) bool.
    """
    x1, y1, x2, y2 = (boxes[:, i, None] for i in range(4))
    side = torch.maximum(x2 - x1, y2 - y1)
    steps = (torch.arange(SIDE, device=boxes.device) + 0.5) / SIDE - 0.5
    across = torch.where(mirrored[:, None], -steps[None], steps[None])
    x = (x1 + x2) / 2 + across * side
    y = (y1 + y2) / 2 + steps[None] * side
    inside = ((x > x1) & (x < x2))[:, None, :] & ((y > y1) & (y < y2))[:, :, None]
    grid = torch.stack(
        [
            (x / SIDE * 2 - 1)[:, None, :].expand(-1, SIDE, -1),
            (y / SIDE * 2 - 1)[:, :, None].expand(-1, -1, SIDE),
        ],
        -1,
    )
    views = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    mask = inside[:, None].to(views.dtype)
    return views * mask, mask


def _relit(views: Tensor, light: float) -> Tensor:
    factors = 1 + light * (2 * torch.rand(3, len(views), 1, 1, 1, device=views.device) - 1)
    brightness, contrast, saturation = factors
    gray = views.mean(1, keepdim=True)
    views = gray + (views - gray) * saturation
    middle = views.mean((1, 2, 3), keepdim=True)
    return ((views - middle) * contrast + middle * brightness).clamp(0, 255)


def _coarse(views: Tensor, smallest: int) -> Tensor:
    # One size for each eighth of the batch: sizes differ, and few calls are needed.
    parts = []
    for part in views.chunk(8):
        size = int(torch.empty(1).uniform_(smallest, SIDE).item())
        small = F.interpolate(part, size=size, mode="bilinear", antialias=True, align_corners=False)
        parts.append(F.interpolate(small, size=SIDE, mode="bilinear", align_corners=False))
    return torch.cat(parts)


def random_views(pictures: Tensor, boxes: Tensor, limits: Tensor, how: Mildness) -> Tensor:
    """Return one random view of each crop, (n, 3, SIDE, SIDE) float 0..255.

    `limits` (n, 2) are the widths and heights of the stored pictures in their corner.
    """
    sizes = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    moved = boxes + how.jitter * sizes * (2 * torch.rand_like(boxes) - 1)
    moved = torch.minimum(moved.clamp(min=0), limits.repeat(1, 2))
    mirrored = torch.rand(len(boxes), device=boxes.device) < 0.5
    views, mask = cut(pictures, moved, mirrored)
    chosen = int(how.coarse * len(views))
    if chosen:
        views = torch.cat([_coarse(views[:chosen], how.smallest), views[chosen:]])
    return _relit(views, how.light) * mask if how.light else views * mask


def plain_views(pictures: Tensor, boxes: Tensor, coarse: int = SIDE) -> Tensor:
    """Return the crops as the run time cuts them, of `coarse` pixels a side where that is less."""
    mirrored = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    views, mask = cut(pictures, boxes, mirrored)
    if coarse < SIDE:
        small = F.interpolate(views, size=coarse, mode="bilinear", antialias=True)
        views = F.interpolate(small, size=SIDE, mode="bilinear", align_corners=False)
    return views * mask
