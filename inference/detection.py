"""Detectors: decoded image -> detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.decoding.resolution import DecodedImage, Resolution
from inference.errors import ModelUnavailable
from inference.manifest import DetectionTask, Manifest
from inference.preprocess import input_resolution, prepare
from inference.session import Session, load_session
from inference.smoke_test import smoke_test
from inference.types import BoxXYXY, Detection, RawDetections

MAX_DETECTIONS = 100
"""Detections per image, highest scores first, as in COCO's evaluation (Lin et al. 2014, maxDets).
Without it, a threshold of 0 would send every cell of the grid to the classifiers."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A detection model, ready to use.

    Attributes:
        manifest: Description of the model.
        task: Labels and output format.
        session: Runs the model.
    """

    manifest: Manifest
    task: DetectionTask
    session: Session

    @property
    def resolution(self) -> Resolution:
        """Return the smallest resolution that an image is decoded to for this model."""
        return input_resolution(self.manifest.input)

    def detect(self, decoded: DecodedImage, threshold: float) -> list[Detection]:
        """Return the objects whose score is at least `threshold`, highest score first.

        Args:
            decoded: An image at any reduction; boxes are in pixels of the source image.
            threshold: 0..1.
        """
        tensor, placement = prepare(decoded.image_rgb, self.manifest.input)
        outputs = self.session.run(tensor)
        found = self.task.head.decode(outputs, placement.input_wh, threshold)
        boxes_xyxy = placement.to_source(found.boxes_xyxy) * decoded.reduction
        placed = RawDetections(boxes_xyxy, found.scores, found.class_ids)
        return to_detections(placed, self.task.labels, decoded.size_wh)


def load_detector(manifest: Manifest, threads: int = 1) -> Detector:
    """Load a detection model and run it once.

    Args:
        manifest: Manifest of the model.
        threads: Threads per run, at most one per core.

    Raises:
        ModelUnavailable: The model does not load, is not a detector, or its outputs do not match
            the manifest.
    """
    session = load_session(manifest, threads)
    detector = make_detector(manifest, session)
    smoke_test(manifest, session)
    return detector


def make_detector(manifest: Manifest, session: Session) -> Detector:
    """Create a detector from a loaded model.

    Raises:
        ModelUnavailable: The model is not a detector.
    """
    if not isinstance(manifest.task, DetectionTask):
        raise ModelUnavailable(
            f"Model {manifest.name} is not a detector: its task is classification."
        )
    return Detector(manifest, manifest.task, session)


def to_detections(
    found: RawDetections, labels: Sequence[str], size_wh: tuple[int, int]
) -> list[Detection]:
    """Return detections in whole pixels, clipped to the image, highest score first.

    Args:
        found: Boxes in pixels of the image. Rows that are not finite, have no label or lie outside
            the image are dropped.
        labels: Class names by id.
        size_wh: Width and height of the image in pixels.
    """
    width, height = size_wh
    is_known = (found.class_ids >= 0) & (found.class_ids < len(labels))
    is_finite = np.isfinite(found.boxes_xyxy).all(axis=1) & np.isfinite(found.scores)
    # float32 cannot represent every pixel position of an image 50 million pixels wide.
    limits = np.array([width, height, width, height], dtype=np.float64)
    clipped = np.clip(np.where(is_finite[:, np.newaxis], found.boxes_xyxy, 0.0), 0, limits)
    is_inside = (clipped[:, 2:] > clipped[:, :2]).all(axis=1)
    kept = np.flatnonzero(is_known & is_finite & is_inside)
    kept = kept[np.argsort(-found.scores[kept], kind="stable")][:MAX_DETECTIONS]
    return [
        Detection(
            box_xyxy=_to_pixels(clipped[row], size_wh),
            class_name=labels[found.class_ids[row]],
            confidence=min(1.0, float(found.scores[row])),
        )
        for row in kept
    ]


def _to_pixels(box_xyxy: NDArray[np.float64], size_wh: tuple[int, int]) -> BoxXYXY:
    """Round to whole pixels, halves up; a box is at least one pixel wide and high."""
    x1, y1, x2, y2 = (int(value) for value in np.floor(box_xyxy + 0.5))
    x1, y1 = min(x1, size_wh[0] - 1), min(y1, size_wh[1] - 1)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)
