"""The network of `vehicle_attributes`: make, kind and colour of a vehicle crop in one run.

Two trunks of MobileNetV3-small see the same crop. The make trunk sees it at full resolution and
starts from Spectrico's make classifier. The context trunk sees it at 160 pixels, which is half the
work, and starts from Spectrico's colour classifier. Make comes from the first, kind and colour from
the second.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.crops import VEHICLE_TYPES
from training.mobilenetv3 import (
    EMBEDDING,
    FEATURES,
    Classifier,
    Trunk,
    fold_norms,
    read_weights,
    unfold,
)
from training.names import COLOUR_TEACHER, MAKE_TEACHER

SIDE = 224
CONTEXT_SIDE = 160
MEAN = 127.5
# Spectrico's networks were trained on (pixel - 127.5) * 0.00784, which is -1..1 within 0.04 %.
STD = 127.5


def context_images(images: Tensor) -> Tensor:
    """Return images (n, 3, side, side) as the context trunk sees them."""
    return F.interpolate(images, size=CONTEXT_SIDE, mode="bilinear", align_corners=False)


class VehicleAttributes(nn.Module):
    """Crops (n, 3, side, side), RGB -1..1 -> logits of make, kind and colour.

    The makes are all that the teacher knows; `Exported` gathers those that are not named.
    """

    def __init__(self, makes: int, colours: int) -> None:
        super().__init__()
        self.make_trunk = Trunk()
        self.make_embedding = nn.Linear(FEATURES, EMBEDDING)
        self.make = nn.Linear(EMBEDDING, makes)
        self.context_trunk = Trunk()
        self.dropout = nn.Dropout(0.2)
        self.kind = nn.Linear(FEATURES, len(VEHICLE_TYPES))
        self.colour = nn.Linear(FEATURES, colours)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (n, makes), (n, kinds), (n, colours) of images (n, 3, side, side)."""
        make = self.make(F.hardswish(self.make_embedding(self.make_trunk(images))))
        context = self.dropout(self.context_trunk(context_images(images)))
        return make, self.kind(context), self.colour(context)


class Exported(nn.Module):
    """The network as its ONNX file answers: probabilities of makes, logits of kind and colour."""

    def __init__(self, network: VehicleAttributes, rows: list[int]) -> None:
        super().__init__()
        self.network, self.rows = network, rows

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Probabilities (n, named + 1), logits (n, kinds) and (n, colours) of images."""
        make, kind, colour = self.network(images)
        named = make.softmax(1)[:, self.rows]
        other = (1 - named.sum(1, keepdim=True)).clamp(min=0)
        return torch.cat([named, other], 1), kind, colour


def from_teachers(models: Path) -> VehicleAttributes:
    """Return the network with the weights of both teachers and fresh kind and colour layers."""
    brand, colour = read_weights(models / MAKE_TEACHER), read_weights(models / COLOUR_TEACHER)
    network = VehicleAttributes(brand.logits.out_features, colour.logits.out_features)
    network.make_trunk.load_state_dict(brand.trunk.state_dict())
    network.make_embedding.load_state_dict(brand.embedding.state_dict())
    network.make.load_state_dict(brand.logits.state_dict())
    network.context_trunk.load_state_dict(colour.trunk.state_dict())
    return network


def unfolded(weights: dict[str, Tensor]) -> VehicleAttributes:
    """Return the network with the weights of a checkpoint, in evaluation mode."""
    network = VehicleAttributes(len(weights["make.bias"]), len(weights["colour.bias"]))
    unfold(network.context_trunk, torch.rand(2, 3, 64, 64))
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network.eval()


def trained(weights: dict[str, Tensor]) -> VehicleAttributes:
    """Return the network with the weights of a checkpoint, its normalisation folded."""
    network = unfolded(weights)
    fold_norms(network.context_trunk)
    return network


def load_teachers(models: Path, device: str) -> tuple[Classifier, Classifier]:
    """Return the make and the colour teacher, frozen."""
    brand, colour = read_weights(models / MAKE_TEACHER), read_weights(models / COLOUR_TEACHER)
    for teacher in (brand, colour):
        teacher.to(device).eval().requires_grad_(False)
    return brand, colour
