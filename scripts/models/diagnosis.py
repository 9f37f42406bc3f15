"""Find fields of a manifest that contradict its ONNX file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inference.classification import Classifier
from inference.detection import Detector
from inference.manifest import MANIFEST_FILE, MODEL_FILE
from inference.probabilities import to_probabilities
from inference.types import ImageRGB, RawDetections
from scripts.models.errors import ToolError
from scripts.models.graph import read_graph
from scripts.models.guess import guess
from scripts.models.product import run_raw

CERTAIN = (
    "task",
    "input.name",
    "input.layout",
    "input.width",
    "input.height",
    "input.dtype",
    "output.format",
    "output.boxes",
    "output.scores",
    "output.labels",
    "output.classes",
    "output.count",
    "output.distances",
    "output.logits",
    "output.strides",
    "output.reg_max",
)
"""Fields that the file itself determines."""
DEFAULTS = {"input.dtype": "float32", "file": MODEL_FILE}
MAX_NORMALIZED = 1.5
"""Normalised corners can exceed 1 a little; pixel coordinates of all objects do not stay below
this."""
SURE = 0.3
SUM_TOLERANCE = 0.02


def contradictions(folder: Path) -> list[str]:
    """Return the fields of a manifest that its file contradicts, each with the right value."""
    try:
        values = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        guessed = guess(read_graph(folder / str(_at(values, "file"))), _size(values))
    except (OSError, ValueError, ToolError) as error:
        return [str(error)]
    constants = _at(values, "input.constants")
    # The user set values that could not be guessed.
    lines = [] if constants and guessed.findings else list(guessed.problems)
    for finding in guessed.findings:
        said = _at(values, finding.field)
        if finding.field == "input.constants":
            lines += _constant_problems(constants, finding.value)
        elif finding.field in CERTAIN and said not in (finding.value, None):
            shown = json.dumps(finding.value)
            lines.append(
                f"{finding.field} is {json.dumps(said)}, expected {shown} ({finding.reason})"
            )
    count = guessed.classes.get("")
    labels = values.get("labels")
    if count and isinstance(labels, list) and len(labels) != count:
        lines.append(f"labels has {len(labels)} names, but the file has {count} classes")
    return lines


def _constant_problems(said: Mapping[str, Any] | None, expected: Mapping[str, Any]) -> list[str]:
    """Return how constants differ from sizes and flags; thresholds are the user's choice."""
    if said is None:
        return [f"input.constants is missing: {json.dumps(expected)}"]
    fixed = {name: value for name, value in expected.items() if _is_fixed(value)}
    if fixed == {name: value for name, value in said.items() if name in fixed}:
        return []
    return [f"input.constants is {json.dumps(said)}, expected {json.dumps(fixed)}"]


def _is_fixed(value: object) -> bool:
    return isinstance(value, list) or value in (0, 1)


def raw_output_problems(detector: Detector, image_rgb: ImageRGB) -> list[str]:
    """Check decoded boxes: pixels or 0..1, and whether all class ids have a label."""
    head = detector.task.head
    if not hasattr(head, "normalized") and not hasattr(head, "first_class"):
        return []
    # Decoding for an input of one pixel returns boxes in their original unit.
    found = head.decode(run_raw(detector, image_rgb), (1, 1), SURE)
    if not len(found.boxes_xyxy):
        return []
    lines = _class_id_problems(detector, found) if hasattr(head, "first_class") else []
    if not hasattr(head, "normalized"):
        return lines
    spec = detector.manifest.input
    largest = float(np.abs(found.boxes_xyxy).max())
    if head.normalized and largest > 2 * MAX_NORMALIZED:
        lines.append(
            f"output.normalized is true, expected false, because boxes reach {largest:.0f}"
        )
    if not head.normalized and largest <= MAX_NORMALIZED < min(spec.width, spec.height) / 10:
        lines.append(
            f"output.normalized is false, expected true, because boxes end at {largest:.2f}"
        )
    return lines


def _class_id_problems(detector: Detector, found: RawDetections) -> list[str]:
    """Return why class ids of surely found objects have no label."""
    count = len(detector.task.labels)
    if int(found.class_ids.max()) == count:
        return [f"class ids reach {count}, so they start at 1: set output.first_class to 1"]
    if int(found.class_ids.min()) < 0:
        return ["class ids start at 0: set output.first_class to 0"]
    return []


def activation_problems(classifier: Classifier, images_rgb: Sequence[ImageRGB]) -> list[str]:
    """Check that outputs with a softmax are not probabilities, and others are."""
    runs = [run_raw(classifier, image_rgb) for image_rgb in images_rgb]
    lines = []
    for output in classifier.task.outputs:
        values = replace(output, activation="none")
        rows = np.concatenate([to_probabilities(run[output.name], values) for run in runs])
        # Logits of several pictures never all lie in 0..1.
        are_probabilities = rows.min() >= 0 and rows.max() <= 1 + SUM_TOLERANCE
        if output.activation == "softmax" and are_probabilities:
            lines.append(f"output {output.name} has probabilities: set its activation to none")
        if output.activation == "none" and (rows.min() < 0 or rows.max() > 1 + SUM_TOLERANCE):
            lines.append(
                f"output {output.name} reaches {rows.min():.2f} to {rows.max():.2f}, so it has no "
                "probabilities: check its activation and scale"
            )
    return lines


def _at(values: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401  JSON can be anything
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return DEFAULTS.get(path) if found is None else found


def _size(values: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = _at(values, "input.width"), _at(values, "input.height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
