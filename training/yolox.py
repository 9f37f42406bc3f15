"""YOLOX-nano (arXiv 2107.08430) as plain PyTorch, batch normalisation folded into the convolutions.

Folding keeps the statistics of the COCO training, which a few hundred pictures in small batches
would only blur. The weights come from Megvii's ONNX file (Apache-2.0, ../shared/models/yolox_nano),
whose convolutions stand in the order in which `forward` calls them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.datasets import COCO_IDS, LABELS
from training.detection import STRIDES

# COCO has no ambulances: they start as what COCO calls them, trucks.
START_NAMES = {"ambulance": "truck"}


class Convolution(nn.Module):
    """Convolution with bias, then SiLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        return self.act(self.conv(x))


class Separable(nn.Sequential):
    """Depthwise 3x3 or 5x5, then pointwise convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        depthwise = Convolution(inputs, inputs, kernel, stride, groups=inputs)
        super().__init__(depthwise, Convolution(inputs, outputs, 1))


class Bottleneck(nn.Module):
    """Pointwise, then separable convolution, with or without a way around."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = Convolution(channels, channels, 1)
        self.conv2 = Separable(channels, channels)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        y = self.conv2(self.conv1(x))
        return y + x if self.shortcut else y


class CspLayer(nn.Module):
    """Cross-stage partial layer: half of the channels pass the bottlenecks, half go around."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, shortcut: bool = True) -> None:
        super().__init__()
        hidden = outputs // 2
        self.conv1 = Convolution(inputs, hidden, 1)
        self.conv2 = Convolution(inputs, hidden, 1)
        self.blocks = nn.Sequential(*(Bottleneck(hidden, shortcut) for _ in range(depth)))
        self.conv3 = Convolution(2 * hidden, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        through, around = self.conv1(x), self.conv2(x)
        return self.conv3(torch.cat([self.blocks(through), around], 1))


class SpatialPyramid(nn.Module):
    """Maxima over three sizes of neighbourhood and the features themselves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = Convolution(channels, channels // 2, 1)
        self.pools = nn.ModuleList(nn.MaxPool2d(k, 1, k // 2) for k in (5, 9, 13))
        self.conv2 = Convolution(channels * 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        x = self.conv1(x)
        return self.conv2(torch.cat([x, *(pool(x) for pool in self.pools)], 1))


class Backbone(nn.Module):
    """CSPDarknet of width 0.25 and depth 0.33; features at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(12, 16, 3)
        self.dark2 = nn.Sequential(Separable(16, 32, stride=2), CspLayer(32, 32, 1))
        self.dark3 = nn.Sequential(Separable(32, 64, stride=2), CspLayer(64, 64, 3))
        self.dark4 = nn.Sequential(Separable(64, 128, stride=2), CspLayer(128, 128, 3))
        self.dark5 = nn.Sequential(
            Separable(128, 256, stride=2), SpatialPyramid(256), CspLayer(256, 256, 1, False)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images (n, 3, h, w) -> 64, 128 and 256 channels at strides 8, 16 and 32."""
        corners = [
            images[..., 0::2, 0::2],
            images[..., 1::2, 0::2],
            images[..., 0::2, 1::2],
            images[..., 1::2, 1::2],
        ]
        eight = self.dark3(self.dark2(self.stem(torch.cat(corners, 1))))
        sixteen = self.dark4(eight)
        return eight, sixteen, self.dark5(sixteen)


class Neck(nn.Module):
    """Path aggregation: features meet top-down, then bottom-up."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral = Convolution(256, 128, 1)
        self.down16 = CspLayer(256, 128, 1, False)
        self.reduce = Convolution(128, 64, 1)
        self.down8 = CspLayer(128, 64, 1, False)
        self.stride8 = Separable(64, 64, stride=2)
        self.up16 = CspLayer(128, 128, 1, False)
        self.stride16 = Separable(128, 128, stride=2)
        self.up32 = CspLayer(256, 256, 1, False)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, features: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """The backbone's features -> as many channels and cells, each knowing the others."""
        eight, sixteen, thirtytwo = features
        lateral = self.lateral(thirtytwo)
        merged = self.down16(torch.cat([self.upsample(lateral), sixteen], 1))
        reduced = self.reduce(merged)
        out8 = self.down8(torch.cat([self.upsample(reduced), eight], 1))
        out16 = self.up16(torch.cat([self.stride8(out8), reduced], 1))
        out32 = self.up32(torch.cat([self.stride16(out16), lateral], 1))
        return out8, out16, out32


class Head(nn.Module):
    """Decoupled head of one level: box (4), objectness (1) and class logits per cell."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = Convolution(channels, 64, 1)
        self.cls_convs = nn.Sequential(Separable(64, 64), Separable(64, 64))
        self.reg_convs = nn.Sequential(Separable(64, 64), Separable(64, 64))
        self.cls_pred = nn.Conv2d(64, classes, 1)
        self.reg_pred = nn.Conv2d(64, 4, 1)
        self.obj_pred = nn.Conv2d(64, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (n, channels, h, w) -> box (n, 4, h, w), objectness (n, 1, h, w), classes."""
        x = self.stem(x)
        kind = self.cls_pred(self.cls_convs(x))
        box = self.reg_convs(x)
        return self.reg_pred(box), self.obj_pred(box), kind


class YoloxNano(nn.Module):
    """Images (n, 3, h, w) BGR 0..255, sides multiples of 32 -> raw (n, cells, 5 + classes).

    A row holds the box as offsets of its cell (cx, cy in strides, log w, log h), then the logits
    of objectness and of the classes; levels of stride 8, 16 and 32 follow each other.
    """

    def __init__(self, classes: int = len(LABELS)) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.neck = Neck()
        self.heads = nn.ModuleList(Head(channels, classes) for channels in (64, 128, 256))

    def forward(self, images: Tensor) -> Tensor:
        """Raw rows (n, cells, 5 + classes) of images (n, 3, h, w)."""
        levels = []
        for head, features in zip(self.heads, self.neck(self.backbone(images)), strict=True):
            levels.append(torch.cat(head(features), 1).flatten(2))
        return torch.cat(levels, 2).transpose(1, 2)


class Exported(nn.Module):
    """The network as its ONNX file answers: objectness and classes as probabilities."""

    def __init__(self, network: YoloxNano) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Rows (n, cells, 5 + classes) with probabilities instead of logits."""
        raw = self.network(images)
        return torch.cat([raw[..., :4], raw[..., 4:].sigmoid()], 2)


def convolutions_in_call_order(network: YoloxNano) -> list[nn.Conv2d]:
    """Every convolution of the network, in the order in which `forward` reaches it."""
    order: list[nn.Conv2d] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, _: order.append(module))
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    return order


def load_onnx(network: YoloxNano, path: Path, rows: list[int] | None = None) -> None:
    """Copy the convolutions of a YOLOX-nano ONNX file; `rows` picks the classes to keep."""
    graph = onnx.load(str(path)).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    sources = [node for node in graph.node if node.op_type == "Conv"]
    last_layers = {id(head.cls_pred) for head in network.heads}
    for module, node in zip(convolutions_in_call_order(network), sources, strict=True):
        weight, bias = (np.array(weights[name]) for name in node.input[1:3])
        if rows is not None and id(module) in last_layers:
            weight, bias = weight[rows], bias[rows]
        module.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})


def from_coco(path: Path) -> YoloxNano:
    """The network for `LABELS`, every class starting from its COCO counterpart."""
    ids = {name: index for index, name in COCO_IDS.items()}
    network = YoloxNano()
    load_onnx(network, path, [ids[START_NAMES.get(name, name)] for name in LABELS])
    return network


def cell_grid(height: int, width: int) -> Tensor:
    """Rows of column, row and stride of every cell for an input of that size, shape (cells, 3)."""
    levels = []
    for stride in STRIDES:
        rows, columns = torch.meshgrid(
            torch.arange(height // stride), torch.arange(width // stride), indexing="ij"
        )
        strides = torch.full((rows.numel(),), stride)
        levels.append(torch.stack([columns.flatten(), rows.flatten(), strides], 1))
    return torch.cat(levels).float()


def decode_boxes(raw: Tensor, grid: Tensor) -> Tensor:
    """Boxes x1, y1, x2, y2 in input pixels of raw rows (..., cells, 4+)."""
    centre = (raw[..., :2] + grid[:, :2]) * grid[:, 2:]
    half = raw[..., 2:4].clamp(max=8).exp() * grid[:, 2:] / 2
    return torch.cat([centre - half, centre + half], -1)
