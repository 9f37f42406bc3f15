from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference.class_outputs import ClassificationTask, ClassOutput
from inference.errors import ManifestError
from inference.manifest import load_manifest
from tests.support.models import tiny_folder

KIND: dict[str, Any] = {
    "name": "kinds",
    "role": "kind",
    "activation": "softmax",
    "labels": ["bus", "car", "truck"],
    "detector_weights": {"truck": {"bus": 0.1, "car": 0.25}},
}
MAKE: dict[str, Any] = {
    "name": "makes",
    "role": "make",
    "activation": "softmax",
    "labels": ["audi", "other"],
    "applies_to": ["car"],
    "threshold": 0.8,
    "unknown_label": "other",
}


def task_of(folder: Path, *outputs: dict[str, Any]) -> ClassificationTask:
    output = {"format": "classes", "outputs": list(outputs)}
    task = load_manifest(tiny_folder(folder, output=output)).task
    assert isinstance(task, ClassificationTask)
    return task


def test_every_field_is_read(tmp_path: Path) -> None:
    task = task_of(tmp_path, MAKE, KIND)

    assert task.has_roles
    assert task.outputs == (
        ClassOutput(
            "makes", ("audi", "other"), "softmax", 1.0, "make", frozenset({"car"}), 0.8, "other"
        ),
        ClassOutput(
            "kinds",
            ("bus", "car", "truck"),
            "softmax",
            1.0,
            "kind",
            detector_weights={"truck": (0.1, 0.25, 1.0)},
        ),
    )


def test_roles_are_optional(tmp_path: Path) -> None:
    plain = {"name": "scores", "activation": "none", "labels": ["a"]}
    task = task_of(tmp_path, plain, {**plain, "name": "more"})

    assert not task.has_roles
    assert task.outputs[0] == ClassOutput("scores", ("a",), "none", 1.0)


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a role twice": ([MAKE, {**MAKE, "name": "more"}], "outputs"),
    "a role on one of two": (
        [KIND, {"name": "x", "activation": "none", "labels": ["a"]}],
        "outputs",
    ),
    "an unknown kind": ([{**MAKE, "applies_to": ["van"]}, KIND], "applies_to"),
    "a threshold above 1": ([{**MAKE, "threshold": 80}, KIND], "threshold"),
    "a threshold without a role": (
        [{"name": "x", "activation": "none", "labels": ["a"], "threshold": 0.5}],
        "threshold",
    ),
    "an unknown label that is no label": (
        [{**MAKE, "unknown_label": "bmw"}, KIND],
        "unknown_label",
    ),
    "kinds as text": ([{**MAKE, "applies_to": "car"}, KIND], "applies_to"),
    "an empty role": ([{**MAKE, "role": ""}], "role"),
    "a weight of an unknown label": (
        [{**KIND, "detector_weights": {"truck": {"van": 0.5}}}],
        "detector_weights",
    ),
    "a negative weight": (
        [{**KIND, "detector_weights": {"truck": {"bus": -1}}}],
        "detector_weights",
    ),
}


@pytest.mark.parametrize(("outputs", "field"), REFUSED.values(), ids=REFUSED)
def test_refused(outputs: list[dict[str, Any]], field: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=field):
        task_of(tmp_path, *outputs)
