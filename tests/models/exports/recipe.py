"""One export: the package that writes it, its options, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

SIDE = 320
SPREAD = 0.15
"""Deviation of the weights of the last layers, so that some boxes have a score."""


@dataclass(frozen=True)
class Recipe:
    """An export.

    Attributes:
        package: Name of the package on PyPI.
        options: Model and options, as the table shows them.
        write: Writes the ONNX file.
    """

    package: str
    options: str
    write: Callable[[Path], object]


def spread(model: Any, classes: int) -> None:
    """Give the last layers of the classes other weights, so that some boxes have a score."""
    for _, layer in model.named_modules():
        bias = getattr(layer, "bias", None)
        if bias is not None and layer.weight.shape[0] == classes:
            layer.weight.data.normal_(0, SPREAD)
            bias.data.normal_(-1, 1)


def export(
    model: Any, file: Path, outputs: tuple[str, ...] = ("output",), side: int = SIDE, **options: Any
) -> None:
    """Write a network of `torch` as ONNX."""
    torch = import_module("torch")
    names = {"input_names": ["images"], "output_names": list(outputs), "dynamo": False}
    with torch.no_grad():
        torch.onnx.export(model.eval(), torch.rand(1, 3, side, side), file, **{**names, **options})
