"""Guess the manifest of a model, with a reason for each field.

Metadata counts first, then the values of the outputs in two runs (`probe`), then usual settings of
the format's exporters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scripts.models.class_heads import class_outputs, read_class_output
from scripts.models.errors import ToolError
from scripts.models.extra_inputs import constants
from scripts.models.findings import Finding
from scripts.models.formats import Format, Model
from scripts.models.formats_named import NAMED_RULES
from scripts.models.formats_rows import raw_grids, rows_or_columns
from scripts.models.graph import Graph, metadata_labels, metadata_value
from scripts.models.guess_inputs import (
    DEFAULT_SIDES,
    Picture,
    find_picture,
    fixed_findings,
    metadata_size,
    preparation,
)
from scripts.models.probe import Probe, probe, takes_two

UNSUPPORTED_TASKS = ("obb",)
RULES = (*NAMED_RULES, raw_grids, rows_or_columns)
AZURE_OUTPUTS = ("classLabel", "model_output")
FORMATS_TEXT = (
    "yolox [1, cells, 5+classes], yolov5 [1, boxes, 5+classes], yolov8 [1, 4+classes, boxes], "
    "rows [1, n, 6], detr (logits and boxes), boxes (boxes, scores and labels), scored (boxes and "
    "class scores), ssd (detection_boxes, ...), picodet (two outputs per stride, or one), classes "
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
    wanted: Collection[str] = (),
) -> Guess:
    """Guess a model's manifest.

    Args:
        graph: The model.
        size_wh: Width and height, if the user specified them.
        known_labels: Class names from elsewhere than the file itself.
        wanted: Names of the outputs of a classifier that have labels; empty for all.
    """
    labels = metadata_labels(graph)
    try:
        return _guess(graph, labels, size_wh, known_labels, frozenset(wanted))
    except ToolError as error:
        return Guess((), {}, labels, (str(error),))


def _guess(
    graph: Graph,
    labels: tuple[str, ...] | None,
    size_wh: tuple[int, int] | None,
    known_labels: tuple[str, ...] | None,
    wanted: frozenset[str],
) -> Guess:
    task = metadata_value(graph, "task")
    if task in UNSUPPORTED_TASKS:
        raise ToolError(f"its task is {task!r}: oriented boxes are not supported")
    picture = find_picture(graph)
    known_wh = picture.size_wh or size_wh or metadata_size(graph)
    seen = _probe(graph, picture, known_wh)
    model = Model(graph, seen, known_labels or labels, wanted)
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
        model = replace(model, probe=seen)
        findings, classes = _classifier(graph, picture, model, others)
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
    graph: Graph, picture: Picture, model: Model, others: Mapping[str, tuple[Any, str]]
) -> Guessed:
    """Read the outputs [1, classes] with optional further axes of 1.

    Raises:
        ToolError: There is none, or another output shows that the model is no classifier.
    """
    seen = model.probe
    listed = "; ".join(str(port) for port in graph.outputs)
    unsupported = f"its outputs have no supported format: {listed}. Supported: {FORMATS_TEXT}"
    chosen, left_out = class_outputs(seen.outputs, model.labels, model.wanted, unsupported)
    entries = [read_class_output(output) for output in chosen]
    reasons = [f"{entry['name']}: {reason}" for entry, reason in entries]
    reasons += [f"{name} is left out: {reason}" for name, reason in left_out.items()]
    reasons += [f"{other} is left out: it is no tensor of numbers" for other in graph.others]
    fixed = fixed_findings(graph, picture, seen.size_wh)
    values = {name: value for name, (value, _) in others.items()}
    batch = picture.port.shape[0] is None and takes_two(graph, picture, seen.size_wh, values)
    findings = [
        Finding("task", "classification", "its outputs are a number per class"),
        *(each for each in fixed if each.field != "input.batch" or batch or each.value is False),
        *preparation(graph, picture, "azure" if _is_azure(graph) else "classes"),
        Finding("output.format", "classes", "a row of numbers for each picture"),
        Finding("output.outputs", [entry for entry, _ in entries], "; ".join(reasons)),
    ]
    return findings, {output.name: max(output.shape) for output in chosen}


def _is_azure(graph: Graph) -> bool:
    """Return whether Azure Custom Vision wrote the classifier, by the names of its outputs."""
    names = [*(port.name for port in graph.outputs), *graph.others]
    return any(name.startswith(AZURE_OUTPUTS) for name in names)
