"""Small networks with documented output formats, where no package on PyPI writes them.

The layers are random; names, shapes, units and order of the outputs are those that the
repositories' export scripts and demos describe.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.models.exports.recipe import SIDE, Recipe, export

CLASSES = 80
EDGES = 4
DFL_BINS = 8
STRIDES = (8, 16, 32, 64)


def _network(columns: int, strides: tuple[int, ...] = STRIDES[:3]) -> Any:
    """Return layers that give rows [1, cells, columns] of the grids of some strides."""
    nn = import_module("torch").nn
    torch = import_module("torch")

    class Rows(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.start = nn.Conv2d(3, 16, 8, 8)
            self.steps = nn.ModuleList(nn.Conv2d(16, 16, 3, 2, 1) for _ in strides[1:])
            self.ends = nn.ModuleList(nn.Conv2d(16, columns, 1) for _ in strides)
            for layer in self.ends:
                layer.weight.data.normal_(0, 1)
                layer.bias.data.normal_(-1, 1)

        def forward(self, images: Any) -> Any:
            grids = [self.start(images)]
            for step in self.steps:
                grids.append(step(grids[-1].relu()))
            ends = [end(grid).flatten(2) for end, grid in zip(self.ends, grids, strict=True)]
            return torch.cat(ends, 2).permute(0, 2, 1)

    return Rows()


def _cells(strides: tuple[int, ...], offset: float) -> Any:
    """Return centre and stride of every cell, [cells, 3] in pixels."""
    torch = import_module("torch")
    rows = [
        ((x + offset) * stride, (y + offset) * stride, stride)
        for stride in strides
        for y in range(SIDE // stride)
        for x in range(SIDE // stride)
    ]
    return torch.tensor(rows, dtype=torch.float32)


def _module(forward: Any, rows: Any) -> Any:
    """Return a module that changes the rows of a network."""
    nn = import_module("torch").nn

    class Ended(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.rows = rows

        def forward(self, images: Any) -> Any:
            return forward(self.rows(images))

    return Ended()


def _corners(rows: Any) -> Any:
    """Return boxes [cells, 4] in pixels around the cells, from four numbers of each row."""
    torch = import_module("torch")
    cells = _cells(STRIDES[:3], 0.5)
    sizes = rows[0, :, :EDGES].sigmoid() * 4 * cells[:, 2:]
    return torch.cat([cells[:, :2] - sizes[:, :2], cells[:, :2] + sizes[:, 2:]], 1)


def ultraface(file: Path) -> None:
    """Scores [1, n, 2] after a softmax, and corners [1, n, 4] of 0..1."""
    export(
        _module(
            lambda rows: (rows[:, :, EDGES:].softmax(2), (_corners(rows) / SIDE).unsqueeze(0)),
            _network(EDGES + 2),
        ),
        file, ("scores", "boxes"), input_names=["input"],
    )  # fmt: skip


def mmdeploy(file: Path) -> None:
    """`dets` [1, n, 5] (corners and score) and `labels` [1, n], after suppression."""
    ops = import_module("torchvision").ops
    torch = import_module("torch")

    def end(rows: Any) -> tuple[Any, Any]:
        boxes = _corners(rows)
        scores, labels = rows[0, :, EDGES:].sigmoid().max(1)
        kept = ops.nms(boxes + labels.unsqueeze(1) * SIDE * 2, scores, 0.65)[:100]
        dets = torch.cat([boxes[kept], scores[kept].unsqueeze(1)], 1)
        return dets.unsqueeze(0), labels[kept].unsqueeze(0)

    export(
        _module(end, _network(EDGES + CLASSES)), file, ("dets", "labels"), input_names=["input"],
        dynamic_axes={"dets": {1: "n"}, "labels": {1: "n"}},
    )  # fmt: skip


def nanodet(strides: tuple[int, ...], file: Path) -> None:
    """Rows of class probabilities, and then the logits of the edges' distributions."""
    torch = import_module("torch")

    def end(rows: Any) -> Any:
        return torch.cat([rows[:, :, :CLASSES].sigmoid(), rows[:, :, CLASSES:]], 2)

    network = _network(CLASSES + EDGES * DFL_BINS, strides)
    export(_module(end, network), file, input_names=["data"])


def yolov10(file: Path) -> None:
    """The 300 best rows of corners, score and class."""
    torch = import_module("torch")

    def end(rows: Any) -> Any:
        boxes = _corners(rows)
        scores, order = rows[0, :, EDGES:].sigmoid().flatten().topk(300)
        columns = [scores.unsqueeze(1), (order % CLASSES).unsqueeze(1).float()]
        return torch.cat([boxes[order // CLASSES], *columns], 1).unsqueeze(0)

    export(_module(end, _network(EDGES + CLASSES)), file, ("output0",))


RECIPES = {
    "doc_ultraface": Recipe("torch", "format of UltraFace", ultraface),
    "doc_mmdeploy": Recipe("torch", "format of mmdeploy", mmdeploy),
    "doc_nanodet": Recipe("torch", "format of NanoDet", partial(nanodet, STRIDES[:3])),
    "doc_nanodet_plus": Recipe("torch", "format of NanoDet-Plus", partial(nanodet, STRIDES)),
    "doc_yolov10": Recipe("torch", "format of YOLOv10's repository", yolov10),
}
