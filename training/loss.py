"""The YOLOX loss (arXiv 2107.08430) with soft class shares, soft objectness and ignored regions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.yolox import decode_boxes

CANDIDATES = 10
CENTRE_RADIUS = 1.5
BOX_WEIGHT = 5.0
OUTSIDE_COST = 1e5
IGNORE_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """One picture's `completion.Target` as tensors."""

    boxes_xyxy: Tensor
    kinds: Tensor
    objectness: Tensor
    ignored_xyxy: Tensor


def pair_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of every pair of boxes, shape (len(a), len(b))."""
    top_left = torch.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (bottom_right - top_left).clamp(min=0).prod(-1)
    areas_a, areas_b = (a[:, 2:] - a[:, :2]).prod(-1), (b[:, 2:] - b[:, :2]).prod(-1)
    return shared / (areas_a[:, None] + areas_b[None] - shared + 1e-6)


@torch.no_grad()
def assign(
    boxes: Tensor, probabilities: Tensor, grid: Tensor, wanted: Wanted
) -> tuple[Tensor, Tensor, Tensor]:
    """SimOTA: cells that answer for an object, the object of each, and their IoU.

    `boxes` (cells, 4) and `probabilities` (cells, classes) are the network's present answers.
    """
    centres = (grid[:, :2] + 0.5) * grid[:, 2:]
    goal = wanted.boxes_xyxy
    inside = ((centres > goal[:, None, :2]) & (centres < goal[:, None, 2:])).all(-1)
    middle = (goal[:, None, :2] + goal[:, None, 2:]) / 2
    near = ((centres - middle).abs() < CENTRE_RADIUS * grid[:, 2:]).all(-1)
    cells = (inside | near).any(0).nonzero()[:, 0]
    overlap = pair_iou(goal, boxes[cells])
    guess = probabilities[cells].sqrt()[None].expand(len(goal), -1, -1)
    kinds = wanted.kinds[:, None].expand_as(guess)
    cost = F.binary_cross_entropy(guess, kinds, reduction="none").sum(-1)
    cost = cost - 3 * torch.log(overlap + 1e-8)
    cost = cost + OUTSIDE_COST * ~(inside & near)[:, cells]
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    counts = overlap.topk(min(CANDIDATES, len(cells)), 1)[0].sum(1).int().clamp(min=1)
    for row, count in enumerate(counts.tolist()):
        chosen[row, cost[row].topk(min(count, len(cells)), largest=False)[1]] = True
    contested = chosen.sum(0) > 1
    if contested.any():
        winner = cost[:, contested].argmin(0)
        chosen[:, contested] = False
        chosen[winner, contested.nonzero()[:, 0]] = True
    taken = chosen.any(0)
    owner = chosen[:, taken].int().argmax(0)
    return cells[taken], owner, overlap[owner, taken.nonzero()[:, 0]]


def _box_loss(boxes: Tensor, goal: Tensor) -> Tensor:
    top_left = torch.maximum(boxes[:, :2], goal[:, :2])
    bottom_right = torch.minimum(boxes[:, 2:], goal[:, 2:])
    shared = (bottom_right - top_left).clamp(min=0).prod(-1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1) + (goal[:, 2:] - goal[:, :2]).prod(-1)
    return 1 - (shared / (areas - shared + 1e-6)) ** 2


def detection_loss(
    raw: Tensor, grid: Tensor, wanted: list[Wanted]
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch, and its parts for the log.

    `raw` (n, cells, 5 + classes) is what `YoloxNano` answers. Everything is divided by the number
    of cells that answer for an object.
    """
    decoded = decode_boxes(raw, grid)
    goals = torch.zeros_like(raw[..., 4])
    counted = torch.ones_like(goals)
    box = kind = raw.sum() * 0
    positives = 0
    for index, target in enumerate(wanted):
        if len(target.ignored_xyxy):
            hidden = pair_iou(decoded[index].detach(), target.ignored_xyxy).max(1)[0] > IGNORE_IOU
            counted[index, hidden] = 0
        if not len(target.boxes_xyxy):
            continue
        logits = raw[index, :, 4:].detach().sigmoid()
        cells, owner, overlap = assign(
            decoded[index].detach(), logits[:, 1:] * logits[:, :1], grid, target
        )
        goals[index, cells] = target.objectness[owner]
        counted[index, cells] = 1
        positives += len(cells)
        sureness = target.objectness[owner]
        box = box + (_box_loss(decoded[index, cells], target.boxes_xyxy[owner]) * sureness).sum()
        shares = target.kinds[owner] * overlap[:, None]
        losses = F.binary_cross_entropy_with_logits(raw[index, cells, 5:], shares, reduction="none")
        kind = kind + (losses.sum(1) * sureness).sum()
    objectness = F.binary_cross_entropy_with_logits(raw[..., 4], goals, reduction="none")
    objectness = (objectness * counted).sum()
    share = 1 / max(positives, 1)
    parts = {"box": BOX_WEIGHT * box * share, "object": objectness * share, "kind": kind * share}
    return sum(parts.values(), raw.new_zeros(())), {k: v.item() for k, v in parts.items()}
