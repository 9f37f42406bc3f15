"""MobileNetV3-small (arXiv 1905.02244) with folded batch normalisation, read from ONNX files.

Spectrico's make and colour classifiers (MIT) have this architecture. `read_weights` takes their
convolutions in the order of the graph, which is the order of the modules here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of one inverted residual block."""

    hidden: int
    outputs: int
    kernel: int
    stride: int
    squeezed: int
    hard_swish: bool


# `squeezed` is the width of the squeeze-and-excitation bottleneck, 0 where there is none.
BLOCKS = (
    Shape(16, 16, 3, 2, 8, False),
    Shape(72, 24, 3, 2, 0, False),
    Shape(88, 24, 3, 1, 0, False),
    Shape(96, 40, 5, 2, 24, True),
    Shape(240, 40, 5, 1, 64, True),
    Shape(240, 40, 5, 1, 64, True),
    Shape(120, 48, 5, 1, 32, True),
    Shape(144, 48, 5, 1, 40, True),
    Shape(288, 96, 5, 2, 72, True),
    Shape(576, 96, 5, 1, 144, True),
    Shape(576, 96, 5, 1, 144, True),
)
STEM = 16
FEATURES = 576
EMBEDDING = 1024


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding, where the odd pixel goes right and below."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, ceil(h / stride), ceil(w / stride))."""
        stride, kernel = self.stride[0], self.kernel_size[0]
        if stride == 1:
            return super().forward(x)
        height, width = int(x.shape[2]), int(x.shape[3])
        across = max((-(-width // stride) - 1) * stride + kernel - width, 0)
        down = max((-(-height // stride) - 1) * stride + kernel - height, 0)
        return super().forward(
            F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        )


class Squeeze(nn.Module):
    """Squeeze-and-excitation: weigh the channels by what the whole map shows."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> the same shape."""
        shares = self.expand(F.relu(self.reduce(x.mean((2, 3), keepdim=True))))
        return x * F.hardsigmoid(shares)


class Block(nn.Module):
    """Inverted residual: widen, depthwise convolution, weigh the channels, narrow."""

    def __init__(self, inputs: int, shape: Shape) -> None:
        super().__init__()
        hidden = shape.hidden
        self.act = nn.Hardswish() if shape.hard_swish else nn.ReLU()
        self.widen = nn.Conv2d(inputs, hidden, 1) if inputs != hidden else nn.Identity()
        self.widens = inputs != hidden
        self.depthwise = SameConv(hidden, hidden, shape.kernel, shape.stride, hidden)
        self.squeeze = Squeeze(hidden, shape.squeezed) if shape.squeezed else nn.Identity()
        self.narrow = nn.Conv2d(hidden, shape.outputs, 1)
        self.residual = shape.stride == 1 and inputs == shape.outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        y = self.act(self.widen(x)) if self.widens else x
        y = self.narrow(self.squeeze(self.act(self.depthwise(y))))
        return x + y if self.residual else y


class Trunk(nn.Module):
    """Images (n, 3, h, w) -> pooled features (n, FEATURES)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, STEM, 3, 2)
        blocks, channels = [], STEM
        for shape in BLOCKS:
            blocks.append(Block(channels, shape))
            channels = shape.outputs
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(channels, FEATURES, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Pooled features (n, FEATURES) of images (n, 3, h, w), RGB -1..1."""
        x = self.blocks(F.hardswish(self.stem(images)))
        return F.hardswish(self.last(x)).mean((2, 3))


class Classifier(nn.Module):
    """One of Spectrico's networks: images (n, 3, h, w) -> logits (n, labels)."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.embedding = nn.Linear(FEATURES, EMBEDDING)
        self.logits = nn.Linear(EMBEDDING, labels)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, labels) of images (n, 3, h, w), RGB -1..1."""
        return self.logits(F.hardswish(self.embedding(self.trunk(images))))


@torch.no_grad()
def unfold(trunk: Trunk, images: Tensor) -> None:
    """Put batch normalisation after each convolution of a trunk, without changing its answers.

    Without it, weights with folded normalisation break at the rates that new tasks need. The
    statistics are those of `images`.
    """
    seen: dict[str, tuple[Tensor, Tensor]] = {}
    layers = {
        name: layer
        for name, layer in trunk.named_modules()
        if isinstance(layer, nn.Conv2d) and "squeeze" not in name
    }
    hooks = [
        layer.register_forward_hook(
            lambda _layer, _inputs, output, name=name: seen.update(
                {name: (output.mean((0, 2, 3)), output.var((0, 2, 3)))}
            )
        )
        for name, layer in layers.items()
    ]
    trunk(images)
    for hook in hooks:
        hook.remove()
    for name, layer in layers.items():
        mean, variance = seen[name]
        norm = nn.BatchNorm2d(layer.out_channels, device=mean.device).train(trunk.training)
        norm.running_mean, norm.running_var = mean.clone(), variance.clone()
        norm.bias.copy_(mean)
        norm.weight.copy_((variance + norm.eps).sqrt())
        parent, _, last = name.rpartition(".")
        setattr(trunk.get_submodule(parent), last, nn.Sequential(layer, norm))


@torch.no_grad()
def fold_norms(trunk: Trunk) -> None:
    """Undo `unfold`: compute each normalisation into the convolution before it."""
    for name, pair in list(trunk.named_modules()):
        if not (isinstance(pair, nn.Sequential) and len(pair) == 2):
            continue
        layer, norm = pair
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        layer.weight.mul_(scale[:, None, None, None])
        layer.bias.copy_((layer.bias - norm.running_mean) * scale + norm.bias)
        parent, _, last = name.rpartition(".")
        setattr(trunk.get_submodule(parent), last, layer)


def read_weights(path: Path) -> Classifier:
    """Return the classifier in the ONNX file at `path`, float32."""
    graph = onnx.load(str(path)).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    network = Classifier(len(stored[nodes[-1].input[1]]))
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        for layer, node in zip(layers, nodes, strict=True):
            for parameter, name in zip((layer.weight, layer.bias), node.input[1:3], strict=True):
                value = torch.from_numpy(np.array(stored[name], np.float32))
                parameter.copy_(value.reshape(parameter.shape))
    return network
