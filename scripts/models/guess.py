"""Guess the manifest of a model, with a reason for each field.

Metadata counts first, then the values of the outputs in two runs (`probe`), then usual settings of
the format's exporters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.models.errors import ToolError
from scripts.models.findings import Finding
from scripts.models.formats import Format, Model
from scripts.models.formats_named import NAMED_RULES
from scripts.models.formats_rows import rows_or_columns
from scripts.models.graph import Graph, metadata_labels, metadata_value
from scripts.models.guess_inputs import (
    DEFAULT_SIDES,
    Picture,
    constants,
    find_picture,
    fixed_findings,
    metadata_size,
    preparation,
)
from scripts.models.probe import Output, Probe, probe, takes_two

UNSUPPORTED_TASKS = ("obb",)
SUM_TOLERANCE = 0.02
RULES = (*NAMED_RULES, rows_or_columns)
FORMATS_TEXT = (
    "yolox [1, cells, 5+classes], yolov5 [1, boxes, 5+classes], yolov8 [1, 4+classes, boxes], "
    "rows [1, n, 6], detr (logits and boxes), boxes (boxes, scores and labels), scored (boxes and "
    "class scores), ssd (detection_boxes, ...), picodet (two outputs per stride), classes "
    "[n, classes]"
)


@dataclass(frozen=True, slots=True)
class Guess:
    """The guess for a model.

    Attributes:
        findings: Fields of the manifest, without labels.
        classes: Number of classes: a detector's under "", a classifier's by output; None if
            unknown.
        labels: Class names in the file itself.
        problems: Reasons why the model is not supported; empty if it is.
    """

    findings: tuple[Finding, ...]
    classes: Mapping[str, int | None]
    labels: tuple[str, ...] | None
    problems: tuple[str, ...]

    def value(self, field: str) -> Any:  # noqa: ANN401  JSON can be anything
        """Return the guessed value of a field, or None."""
        return next((each.value for each in self.findings if each.field == field), None)


def guess(
    graph: Graph,
    size_wh: tuple[int, int] | None = None,
    known_labels: tuple[str, ...] | None = None,
) -> Guess:
    """Guess a model's manifest.

    Args:
        graph: The model.
        size_wh: Width and height, if the user specified them.
        known_labels: Class names from elsewhere than the file itself.
    """
    labels = metadata_labels(graph)
    try:
        return _guess(graph, labels, size_wh, known_labels)
    except ToolError as error:
        return Guess((), {}, labels, (str(error),))


def _guess(
    graph: Graph,
    labels: tuple[str, ...] | None,
    size_wh: tuple[int, int] | None,
    known_labels: tuple[str, ...] | None,
) -> Guess:
    task = metadata_value(graph, "task")
    if task in UNSUPPORTED_TASKS:
        raise ToolError(f"its task is {task!r}: oriented boxes are not supported")
    picture = find_picture(graph)
    known_wh = picture.size_wh or size_wh or metadata_size(graph)
    seen = _probe(graph, picture, known_wh)
    model = Model(graph, seen, known_labels or labels)
    found = None
    if task != "classify":
        found = next((each for rule in RULES if (each := rule(model)) is not None), None)
    if isinstance(found, str):
        raise ToolError(found)
    if found is None and known_wh is None:
        seen = _probe(graph, picture, _square(DEFAULT_SIDES["classification"]))
    others, problem = constants(graph, picture.port, seen.size_wh)
    if found:
        findings, classes = _detector(graph, picture, seen.size_wh, found)
    else:
        findings, classes = _classifier(graph, picture, seen, others)
    if others:
        reason = "; ".join(reason for _, reason in others.values())
        values = {name: value for name, (value, _) in others.items()}
        findings.append(Finding("input.constants", values, reason))
    return Guess(tuple(findings), classes, labels, (problem,) if problem else ())


def _square(side: int) -> tuple[int, int]:
    return side, side


def _probe(graph: Graph, picture: Picture, known_wh: tuple[int, int] | None) -> Probe:
    """Run the model at the known size, or at a usual one at which it runs."""
    sizes = [known_wh] if known_wh else [_square(side) for side in DEFAULT_SIDES.values()]
    errors = []
    for size_wh in sizes:
        others, _ = constants(graph, picture.port, size_wh)
        try:
            values = {name: value for name, (value, _) in others.items()}
            return probe(graph, picture, size_wh, values)
        except ToolError as error:
            errors.append(f"with a picture of {size_wh[0]}x{size_wh[1]} {error}")
    raise ToolError(errors[0])


Guessed = tuple[list[Finding], dict[str, int | None]]


def _detector(graph: Graph, picture: Picture, size_wh: tuple[int, int], found: Format) -> Guessed:
    # A request's pictures are decoded one at a time, so a detector needs no batch.
    fixed = fixed_findings(graph, picture, size_wh)
    findings = [
        Finding("task", "detection", "its outputs are boxes"),
        *(each for each in fixed if each.field != "input.batch"),
        *preparation(graph, picture, found.family),
        *found.findings,
    ]
    return findings, {"": found.classes}


def _classifier(
    graph: Graph, picture: Picture, seen: Probe, others: Mapping[str, tuple[Any, str]]
) -> Guessed:
    """Read outputs [1, classes] with optional further axes of 1.

    Raises:
        ToolError: An output has another shape.
    """
    outputs, classes, reasons = [], {}, []
    for output in seen.outputs:
        shape = output.shape
        if (
            len(shape) < 2
            or shape[0] != 1
            or sum(size != 1 for size in shape) > 1
            or shape == (1, 1)
        ):
            raise ToolError(_unsupported(graph, output))
        entry, reason = _class_output(output)
        outputs.append(entry)
        reasons.append(f"{output.name}: {reason}")
        classes[output.name] = max(shape)
    fixed = fixed_findings(graph, picture, seen.size_wh)
    values = {name: value for name, (value, _) in others.items()}
    batch = picture.port.shape[0] is None and takes_two(graph, picture, seen.size_wh, values)
    findings = [
        Finding("task", "classification", "its outputs are a number per class"),
        *(each for each in fixed if each.field != "input.batch" or batch or each.value is False),
        *preparation(graph, picture, "classes"),
        Finding("output.format", "classes", "a row of numbers for each picture"),
        Finding("output.outputs", outputs, "; ".join(reasons)),
    ]
    return findings, dict(classes)


def _unsupported(graph: Graph, output: Output) -> str:
    if output.values.size == 2:
        return (
            f"output {output.name} has one value. Export a classifier with a value per class, "
            "two for yes and no"
        )
    if len(output.shape) < 2:
        return f"output {output.name} has no batch axis. Export it as [batch, classes]"
    listed = "; ".join(str(port) for port in graph.outputs)
    return f"its outputs have no supported format: {listed}. Supported: {FORMATS_TEXT}"


def _class_output(output: Output) -> tuple[dict[str, Any], str]:
    """Return an output's manifest entry and its reason, from its values in both runs."""
    entry: dict[str, Any] = {"name": output.name, "activation": "none"}
    if output.gray.dtype == np.uint8:
        return {**entry, "scale": 1 / 255}, "bytes are probabilities times 255"
    if output.gray.dtype == np.int8:
        return {**entry, "scale": 1 / 256}, "signed bytes are probabilities times 256, minus 128"
    sums = output.values.reshape(2, -1).sum(axis=1)
    shown = f"its values sum to {sums[0]:.2f}"
    if output.are_probabilities and np.all(np.abs(sums - 1) <= SUM_TOLERANCE):
        return entry, f"{shown}: probabilities"
    if output.are_probabilities:
        return entry, f"{shown}, all in 0..1: a sigmoid, several labels at a time"
    return {**entry, "activation": "softmax"}, f"{shown}: logits"
