"""Guess the manifest of a model, with a reason for each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.types import Outputs
from scripts.models.errors import ToolError
from scripts.models.findings import Finding
from scripts.models.graph import Graph, Port, blank_feeds, metadata_labels, metadata_value
from scripts.models.guess_inputs import (
    DEFAULT_SIDES,
    Picture,
    constants,
    find_picture,
    fixed_findings,
    metadata_size,
    preparation,
)
from scripts.models.guess_outputs import Format, guess_format

ULTRALYTICS_TASKS = ("detect", "classify")
SUM_TOLERANCE = 0.02
GRAY = 114
FORMATS_TEXT = (
    "yolox [1, cells, 5+classes], yolov5 [1, 3*cells, 5+classes], yolov8 [1, 4+classes, cells], "
    "rows [1, n, 6], detr (logits and pred_boxes), boxes (boxes, scores and labels), ssd "
    "(detection_boxes, ...), picodet (two outputs per stride), classes [n, classes]"
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


def guess(graph: Graph, size_wh: tuple[int, int] | None = None) -> Guess:
    """Guess a model's manifest.

    Args:
        graph: The model.
        size_wh: Width and height, if the user specified them.
    """
    labels = metadata_labels(graph)
    task = metadata_value(graph, "task")
    if task is not None and task not in ULTRALYTICS_TASKS:
        problem = f"its task is {task!r}; this API supports only detection and classification"
        return Guess((), {}, labels, (problem,))
    picture = find_picture(graph)
    if isinstance(picture, str):
        return Guess((), {}, labels, (picture,))
    known_wh = picture.size_wh or size_wh or metadata_size(graph)
    detector_wh = known_wh or _square(DEFAULT_SIDES["detection"])
    found = guess_format(graph, detector_wh)
    guessed: Guessed | str
    if found:
        guessed = _detector(graph, picture, detector_wh, found)
    else:
        guessed = _classifier(graph, picture, known_wh or _square(DEFAULT_SIDES["classification"]))
    if isinstance(guessed, str):
        return Guess((), {}, labels, (guessed,))
    findings, classes, wh = guessed
    others = constants(graph, picture.port, wh)
    problems = (others,) if isinstance(others, str) else ()
    if not isinstance(others, str):
        findings = [*findings, *others]
    return Guess(tuple(findings), classes, labels, problems)


Guessed = tuple[list[Finding], dict[str, int | None], tuple[int, int]]


def _square(side: int) -> tuple[int, int]:
    return side, side


def _detector(graph: Graph, picture: Picture, size_wh: tuple[int, int], found: Format) -> Guessed:
    activations = [each.value for each in found.findings if each.field == "output.activation"]
    kind = "-".join([found.name, *activations])
    # A request's pictures are decoded one at a time, so a detector needs no batch.
    fixed = fixed_findings(graph, picture, size_wh)
    findings = [
        Finding("task", "detection", "its outputs are boxes"),
        *(each for each in fixed if each.field != "input.batch"),
        *preparation(graph, picture, kind),
        *found.findings,
    ]
    return findings, {"": found.classes}, size_wh


def _classifier(graph: Graph, picture: Picture, size_wh: tuple[int, int]) -> Guessed | str:
    """Run the model to identify outputs [n, classes], with optional further axes of 1."""
    try:
        values = _answers(graph, picture, size_wh, 1)
    except ToolError as error:
        return f"with a gray picture of {size_wh[0]}x{size_wh[1]} {error}"
    outputs, classes, reasons = [], {}, []
    for port in graph.outputs:
        shape = values[port.name].shape
        if len(shape) < 2 or shape[0] != 1 or set(shape[2:]) - {1} or shape[1] < 2:
            return (
                f"its outputs have no supported format: {_listed(graph)}. Supported: {FORMATS_TEXT}"
            )
        output, reason = _class_output(port, np.asarray(values[port.name], np.float64))
        outputs.append(output)
        reasons.append(f"{port.name}: {reason}")
        classes[port.name] = int(shape[1])
    fixed = fixed_findings(graph, picture, size_wh)
    takes_two = picture.port.shape[0] is None and _takes_two(graph, picture, size_wh)
    findings = [
        Finding("task", "classification", "its outputs are a number per class"),
        *(each for each in fixed if each.field != "input.batch" or takes_two),
        *preparation(graph, picture, "classes"),
        Finding("output.format", "classes", "a row of numbers for each picture"),
        Finding("output.outputs", outputs, "; ".join(reasons)),
    ]
    return findings, dict(classes), size_wh


def _answers(graph: Graph, picture: Picture, size_wh: tuple[int, int], count: int) -> Outputs:
    """Return the outputs for `count` gray pictures."""
    width, height = size_wh
    shape = (count, height, width, 3) if picture.layout == "NHWC" else (count, 3, height, width)
    tensor = np.full(shape, GRAY, picture.port.dtype)
    if picture.port.dtype != "uint8":
        tensor = (tensor / 255).astype(tensor.dtype)
    return graph.run(blank_feeds(graph, picture.port.name, tensor))


def _takes_two(graph: Graph, picture: Picture, size_wh: tuple[int, int]) -> bool:
    """Return whether the model returns two rows for two pictures, as a dynamic axis promises."""
    try:
        answers = _answers(graph, picture, size_wh, 2)
    except ToolError:
        return False
    return all(len(values) == 2 for values in answers.values())


def _class_output(port: Port, values: np.ndarray[Any, Any]) -> tuple[dict[str, Any], str]:
    """Return an output's manifest entry and its reason, from its values for a gray picture."""
    if port.dtype == "uint8":
        entry = {"name": port.name, "activation": "none", "scale": 1 / 255}
        return entry, "bytes are probabilities times 255"
    total = float(values.sum())
    if values.min() >= 0 and abs(total - 1) <= SUM_TOLERANCE:
        return {"name": port.name, "activation": "none"}, f"its values sum to {total:.2f}"
    return {"name": port.name, "activation": "softmax"}, f"its values sum to {total:.2f}: logits"


def _listed(graph: Graph) -> str:
    return "; ".join(str(port) for port in graph.outputs)
