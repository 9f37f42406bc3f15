"""Pictures -> detections, whatever the detector."""

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
"""Of one picture, the best ones: COCO's evaluation counts as many (Lin et al. 2014, maxDets), and
a threshold of 0 must not make every cell of the grid a vehicle to be classified."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A detection model, ready to use.

    Attributes:
        manifest: What it is.
        task: What it finds.
        session: What runs it.
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
    """Load a detection model and try it once.

    Args:
        manifest: The model's.
        threads: How many work on one picture, at most one per core.

    Raises:
        ModelUnavailable: It can't be loaded, is no detector, or its outputs are not the
            manifest's.
    """
    session = load_session(manifest, threads)
    detector = make_detector(manifest, session)
    smoke_test(manifest, session)
    return detector


def make_detector(manifest: Manifest, session: Session) -> Detector:
    """Make a detector of a model that is loaded.

    Raises:
        ModelUnavailable: It is no detector.
    """
    if not isinstance(manifest.task, DetectionTask):
        raise ModelUnavailable(f"Model {manifest.name} is no detector: its task is classification.")
    return Detector(manifest, manifest.task, session)


def to_detections(
    found: RawDetections, labels: Sequence[str], size_wh: tuple[int, int]
) -> list[Detection]:
    """Boxes of a picture as its clients see them: whole pixels, inside of it, the best first.

    Args:
        found: With boxes in pixels of the picture; rows that are not finite or whose class has
            no label are dropped, as are boxes that lie outside.
        labels: Class names by id.
        size_wh: Width and height of the picture, pixels.
    """
    width, height = size_wh
    is_known = (found.class_ids >= 0) & (found.class_ids < len(labels))
    is_finite = np.isfinite(found.boxes_xyxy).all(axis=1) & np.isfinite(found.scores)
    # In float64: float32 can't tell the last pixels of a picture 50 million wide apart.
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
    """Rounded to whole pixels, halves up; a box thinner than one is given one."""
    x1, y1, x2, y2 = (int(value) for value in np.floor(box_xyxy + 0.5))
    x1, y1 = min(x1, size_wh[0] - 1), min(y1, size_wh[1] - 1)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)
