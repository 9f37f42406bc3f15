"""Crops -> class names and probabilities, whatever the classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelUnavailable
from inference.manifest import ClassificationTask, ClassOutput, Manifest
from inference.picture import Need
from inference.preprocess import needed_pixels, prepare
from inference.session import Session, first_run, load_session
from inference.types import Classification, ImageRGB, Outputs, Tensor

BATCH_SIZE = 8
"""Crops of one run: more gain nothing on a CPU and cost memory."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classification model, ready to use.

    Attributes:
        manifest: What it is.
        task: What it says.
        session: What runs it.
    """

    manifest: Manifest
    task: ClassificationTask
    session: Session

    @property
    def need(self) -> Need:
        """How many pixels of a crop it can make use of."""
        return needed_pixels(self.manifest.input)

    def classify(self, crops_rgb: Sequence[ImageRGB], top: int) -> list[dict[str, Classification]]:
        """The best classes of every crop, by output name in the manifest's order.

        Args:
            crops_rgb: uint8 [height, width, 3] each, of any size.
            top: How many classes, best first; fewer where the model has fewer.
        """
        spec = self.manifest.input
        # With a `multiple` each crop has a frame of its own, and a batch takes only equal ones.
        size = BATCH_SIZE if spec.batch and spec.multiple is None else 1
        runs = [
            self._run(crops_rgb[start : start + size]) for start in range(0, len(crops_rgb), size)
        ]
        by_output = {output.name: _join(runs, output, top) for output in self.task.outputs}
        return [
            {name: crops[position] for name, crops in by_output.items()}
            for position in range(len(crops_rgb))
        ]

    def _run(self, crops_rgb: Sequence[ImageRGB]) -> Outputs:
        tensors = [prepare(crop, self.manifest.input)[0] for crop in crops_rgb]
        return self.session.run(np.concatenate(tensors) if len(tensors) > 1 else tensors[0])


def load_classifier(manifest: Manifest, threads: int = 1) -> Classifier:
    """Load a classification model and try it once, so that a wrong manifest fails here.

    Args:
        manifest: The model's.
        threads: How many work on one run, at most one per core.

    Raises:
        ModelUnavailable: It can't be loaded, is no classifier, or its outputs are not the
            manifest's.
    """
    if not isinstance(manifest.task, ClassificationTask):
        raise ModelUnavailable(f"Model {manifest.name} is no classifier: its task is detection.")
    classifier = Classifier(manifest, manifest.task, load_session(manifest, threads))
    blank = np.zeros((manifest.input.height, manifest.input.width, 3), dtype=np.uint8)
    with first_run(manifest):
        classifier.classify([blank, blank] if manifest.input.batch else [blank], top=1)
    return classifier


def to_probabilities(values: Tensor, output: ClassOutput) -> NDArray[np.float32]:
    """One output's raw values as probabilities.

    Args:
        values: [n, classes] with any axes of 1 behind, float or uint8.
        output: Its labels, scale and activation.

    Returns:
        float32 [n, classes], 0..1 for a model that is what its manifest says.

    Raises:
        ValueError: There are more or fewer classes than labels.
    """
    rows = values.reshape(len(values), -1).astype(np.float32) * np.float32(output.scale)
    if rows.shape[1] != len(output.labels):
        raise ValueError(
            f"Output {output.name!r} has {rows.shape[1]} classes, "
            f"the manifest has {len(output.labels)} labels for it."
        )
    if output.activation == "softmax":
        weights = np.exp(rows - rows.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))
    return rows


def best_classes(
    probabilities: NDArray[np.float32], labels: Sequence[str], top: int
) -> Classification:
    """The `top` best classes of one crop, best first; of equals the first label comes first.

    Args:
        probabilities: float32 [classes]; one that is not a number counts as 0.
        labels: Class names by position.
        top: At least 1.
    """
    known = np.nan_to_num(probabilities, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    order = np.argsort(-known, kind="stable")[:top]
    return Classification(
        names=tuple(labels[position] for position in order),
        probabilities=tuple(float(known[position]) for position in order),
    )


def _join(runs: Sequence[Outputs], output: ClassOutput, top: int) -> list[Classification]:
    return [
        best_classes(probabilities, output.labels, top)
        for run in runs
        for probabilities in to_probabilities(run[output.name], output)
    ]
