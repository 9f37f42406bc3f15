"""The front of MobileNetV2 (arXiv 1801.04381) for vehicle types, started from ImageNet weights.

The weights are Google's quantised MobileNetV2 1.0 224 (Apache-2.0, ../shared/models/
mobilenet_v2_quant), turned back into float32; batch normalisation is folded in already. The last
blocks are left out: with them the float model would pass four megabytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import NodeProto, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from training.crops import VEHICLE_TYPES

# Output channels and stride of every block that is kept; all but the first widen six times.
BLOCKS = (
    (16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1),
    (96, 1), (96, 1), (96, 1), (160, 2), (160, 1),
)  # fmt: skip


# Frozen, these stages (up to stride 8) keep what a million ImageNet photos taught them.
EARLY_STAGES = 7


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
    """Crops (n, 3, SIDE, SIDE), RGB -1..1 -> logits (n, types)."""

    def __init__(self, types: int = len(VEHICLE_TYPES)) -> None:
        super().__init__()
        layers: list[nn.Module] = [Convolution(3, 32, 3, stride=2)]
        channels = 32
        for index, (outputs, stride) in enumerate(BLOCKS):
            layers.append(Block(channels, outputs, stride, 6 if index else 1))
            channels = outputs
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.2)
        self.last = nn.Linear(channels, types)

    def forward(self, crops: Tensor) -> Tensor:
        """Logits (n, types) of crops (n, 3, SIDE, SIDE)."""
        features = self.features(crops).mean((2, 3))
        return self.last(self.dropout(features))


class Exported(nn.Module):
    """The network as its ONNX file answers: the mean of a crop's logits and its mirror image's."""

    def __init__(self, network: MobileNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> Tensor:
        """Logits (n, types) of crops (n, 3, SIDE, SIDE)."""
        return (self.network(crops) + self.network(crops.flip(3))) / 2


def _dequantised(
    name: str, makers: dict[str, NodeProto], stored: dict[str, np.ndarray]
) -> np.ndarray:
    """The float value of a constant that passes one DequantizeLinear."""
    node = makers[name]
    value, scale, zero = (stored[part] for part in node.input)
    if scale.ndim:
        scale = scale.reshape(-1, *[1] * (value.ndim - 1))
        zero = zero.reshape(scale.shape)
    return ((value.astype(np.float32) - zero.astype(np.float32)) * scale).astype(np.float32)


def from_imagenet(path: Path) -> MobileNet:
    """The network with the convolutions of the ONNX file at `path` and a fresh last layer."""
    graph = onnx.load(str(path)).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    network = MobileNet()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        for layer, node in zip(layers, nodes, strict=False):
            weight, bias = (_dequantised(name, makers, stored) for name in node.input[1:3])
            layer.load_state_dict(
                {"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)}
            )
    return network
