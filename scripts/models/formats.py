"""Shared parts of the rules that recognise output formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.models.findings import Finding
from scripts.models.graph import Graph
from scripts.models.probe import Output, Probe

Field = tuple[str, object, str]
"""(field of `output`, value, reason); a value of None leaves the field out."""

MAX_NORMALIZED = 1.5
"""Corners in 0..1 can exceed 1 a little; pixels of all boxes do not stay below this."""


@dataclass(frozen=True, slots=True)
class Format:
    """A matching output format.

    Attributes:
        name: Value of `output.format`.
        findings: Fields of `output`.
        classes: Number of classes; None if the outputs do not show it.
        family: Name of the preprocessing that exporters of the format use.
    """

    name: str
    findings: tuple[Finding, ...]
    classes: int | None
    family: str


@dataclass(frozen=True, slots=True)
class Model:
    """The evidence that the rules use.

    Attributes:
        graph: Inputs, outputs and metadata.
        probe: Values of the outputs.
        labels: Known class names, or None.
        wanted: Names of the outputs that the user has labels for; empty if unknown.
    """

    graph: Graph
    probe: Probe
    labels: tuple[str, ...] | None
    wanted: frozenset[str] = frozenset()


Rule = Callable[[Model], Format | str | None]
"""Returns the format, why the model is not supported, or None if the rule does not match."""


def make_format(name: str, family: str, reason: str, classes: int | None, *fields: Field) -> Format:
    """Return a format with the fields that have a value."""
    findings = [Finding("output.format", name, reason)]
    findings += [
        Finding(f"output.{key}", value, why) for key, value, why in fields if value is not None
    ]
    return Format(name, tuple(findings), classes, family)


def cell_count(size_wh: tuple[int, int], strides: Sequence[int]) -> int:
    """Return the number of cells of the grids with these strides."""
    width, height = size_wh
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


def is_list(output: Output, columns: int | None = None) -> bool:
    """Return whether the shape is [n, columns] or [n], with an optional batch axis of 1."""
    shape = output.shape
    if columns is None:
        return len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)
    return shape[-1:] == (columns,) and (len(shape) == 2 or (len(shape) == 3 and shape[0] == 1))


def are_normalized(boxes: NDArray[np.float64]) -> bool:
    """Return whether coordinates [n, 4] are in 0..1 and not all zero."""
    largest = float(np.abs(boxes).max()) if boxes.size else 0.0
    return 0 < largest <= MAX_NORMALIZED
