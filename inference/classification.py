"""Classifiers: crops -> class names and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.class_outputs import ClassificationTask, ClassOutput
from inference.decoding.resolution import Resolution
from inference.errors import ModelUnavailable
from inference.manifest import Manifest
from inference.preprocess import input_resolution, prepare
from inference.probabilities import best_classes, to_probabilities, weighted
from inference.session import Session, load_session
from inference.smoke_test import smoke_test
from inference.types import Classification, ImageRGB, Outputs

BATCH_SIZE = 8
"""Crops per run. Larger batches are not faster on a CPU and take more memory."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classification model, ready to use.

    Attributes:
        manifest: Description of the model.
        task: Outputs and their labels.
        session: Runs the model.
    """

    manifest: Manifest
    task: ClassificationTask
    session: Session

    @property
    def resolution(self) -> Resolution:
        """Return the smallest resolution that a crop is decoded to for this model."""
        return input_resolution(self.manifest.input)

    def classify(
        self, crops_rgb: Sequence[ImageRGB], top: int, detected: Sequence[str] = ()
    ) -> list[dict[str, Classification]]:
        """Return the best classes of every crop, by output name in the manifest's order.

        Args:
            crops_rgb: One uint8 array [height, width, 3] per crop, of any size.
            top: Number of classes, highest probability first; fewer if the model has fewer.
            detected: The detector's class of every crop; empty if the crops were not detected.
        """
        spec = self.manifest.input
        size = self.session.batch
        # With a `multiple`, crops get inputs of different sizes, which do not fit into one batch.
        if size == 1 and spec.batch and spec.multiple is None:
            size = BATCH_SIZE
        runs = [
            self._run(crops_rgb[start : start + size]) for start in range(0, len(crops_rgb), size)
        ]
        by_output = {
            output.name: _best(runs, output, top, detected or [""] * len(crops_rgb))
            for output in self.task.outputs
        }
        return [
            {name: crops[position] for name, crops in by_output.items()}
            for position in range(len(crops_rgb))
        ]

    def _run(self, crops_rgb: Sequence[ImageRGB]) -> Outputs:
        tensors = [prepare(crop, self.manifest.input)[0] for crop in crops_rgb]
        return self.session.run(np.concatenate(tensors) if len(tensors) > 1 else tensors[0])


def load_classifier(manifest: Manifest, threads: int = 1) -> Classifier:
    """Load a classification model and run it once.

    Args:
        manifest: Manifest of the model.
        threads: Threads per run, at most one per core.

    Raises:
        ModelUnavailable: The model does not load, is not a classifier, or its outputs do not
            match the manifest.
    """
    session = load_session(manifest, threads)
    classifier = make_classifier(manifest, session)
    smoke_test(manifest, session)
    return classifier


def make_classifier(manifest: Manifest, session: Session) -> Classifier:
    """Create a classifier from a loaded model.

    Raises:
        ModelUnavailable: The model is not a classifier.
    """
    if not isinstance(manifest.task, ClassificationTask):
        raise ModelUnavailable(f"Model {manifest.name} is not a classifier: its task is detection.")
    return Classifier(manifest, manifest.task, session)


def _best(
    runs: Sequence[Outputs], output: ClassOutput, top: int, detected: Sequence[str]
) -> list[Classification]:
    rows = [row for run in runs for row in to_probabilities(run[output.name], output)]
    for position, class_name in enumerate(detected):
        if class_name in output.detector_weights:
            rows[position] = weighted(rows[position], output.detector_weights[class_name])
    return [best_classes(row, output.labels, top) for row in rows]
