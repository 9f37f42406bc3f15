"""The teacher of kinds: the front of MobileNetV2 (arXiv 1801.04381), the former classifier.

`kind_teacher.onnx` holds it as it was released (vehicle_classifier 1.0.0): ImageNet weights from
Google (Apache-2.0), fine-tuned on the photos that `crops.py` lists. It sees crops stretched to a
square of 128 pixels.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from training.crops import VEHICLE_TYPES

# Output channels and stride of every block that is kept; all but the first widen six times.
BLOCKS = (
    (16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1),
    (96, 1), (96, 1), (96, 1), (160, 2), (160, 1),
)  # fmt: skip


FEATURES = BLOCKS[-1][0]
KIND_TEACHER = Path(__file__).parent / "kind_teacher.onnx"


class Convolution(nn.Module):
    """Convolution with TensorFlow's "same" padding, then ReLU6 unless `linear`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1,
        linear: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        symmetric = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, symmetric, groups=groups)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        if self.conv.stride[0] == 2:
            # Even sides with stride 2: TensorFlow pads at the right and the bottom only.
            x = F.pad(x, (0, 1, 0, 1))
        x = self.conv(x)
        return x if self.linear else F.relu6(x)


class Block(nn.Module):
    """Inverted residual: widen, depthwise 3x3, narrow."""

    def __init__(self, inputs: int, outputs: int, stride: int, widening: int) -> None:
        super().__init__()
        hidden = inputs * widening
        layers = [] if widening == 1 else [Convolution(inputs, hidden, 1)]
        layers.append(Convolution(hidden, hidden, 3, stride, groups=hidden))
        layers.append(Convolution(hidden, outputs, 1, linear=True))
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        y = self.layers(x)
        return x + y if self.residual else y


class MobileNet(nn.Module):
    """Crops (n, 3, SIDE, SIDE), RGB -1..1 -> logits (n, types) and features (n, FEATURES)."""

    def __init__(self, types: int = len(VEHICLE_TYPES)) -> None:
        super().__init__()
        layers: list[nn.Module] = [Convolution(3, 32, 3, stride=2)]
        channels = 32
        for index, (outputs, stride) in enumerate(BLOCKS):
            layers.append(Block(channels, outputs, stride, 6 if index else 1))
            channels = outputs
        self.features = nn.Sequential(*layers)
        self.last = nn.Linear(channels, types)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, types) and features (n, FEATURES) of crops (n, 3, SIDE, SIDE)."""
        features = self.features(crops).mean((2, 3))
        return self.last(features), features


def read_teacher(path: Path = KIND_TEACHER) -> MobileNet:
    """Return the network with the weights of its ONNX file, which keeps the names of modules."""
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    network = MobileNet()
    names = network.state_dict()
    network.load_state_dict({n: torch.from_numpy(stored[f"network.{n}"].copy()) for n in names})
    return network.eval().requires_grad_(False)
