"""docs/labels.md, from the manifests of the embedded models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inference.class_outputs import ClassificationTask
from inference.manifest import DetectionTask, load_manifest

MODELS = Path(__file__).resolve().parents[2] / "models"

PAGE = """\
# Labels of the embedded models

`GET /models` answers the same for the models that an API runs. The model cards in `models/` say how
often a label is right.

{tasks}
"""


def page() -> str:
    """Return the page in Markdown."""
    manifests = [load_manifest(path.parent) for path in sorted(MODELS.glob("*/manifest.json"))]
    return PAGE.format(
        tasks="\n\n".join(f"## {each.name}\n\n{_labels(each.task)}" for each in manifests)
    )


def _labels(task: DetectionTask | ClassificationTask) -> str:
    if isinstance(task, DetectionTask):
        return _sentence("class_name", task.labels)
    return "\n\n".join(_sentence(each.role or each.name, each.labels) for each in task.outputs)


def _sentence(field: str, labels: Iterable[str]) -> str:
    return f"`{field}`: {', '.join(labels)}."
