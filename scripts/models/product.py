"""Calls of the product's code on decoded pictures; the other tool modules do not call it."""

from __future__ import annotations

from collections.abc import Sequence

from inference.classification import Classifier
from inference.decoding.resolution import DecodedImage
from inference.decoding.source import ImageSource
from inference.detection import Detector
from inference.pipeline import Pipeline, crop, drop_small
from inference.preprocess import prepare
from inference.types import Classification, Detection, ImageRGB, Outputs
from service.settings import Settings

SETTINGS = Settings.from_environment({})
"""The product's default settings."""


def objects(detector: Detector, image_rgb: ImageRGB, threshold: float) -> list[Detection]:
    """Return the result of `/object_detection`."""
    pipeline = Pipeline(
        detector,
        classifiers=(),
        min_area=SETTINGS.detection_size_threshold,
        max_car_truck_iou=SETTINGS.detection_iou_threshold,
    )
    return pipeline.predict_objects(ImageSource.from_pixels(image_rgb), threshold)


def detections(
    detector: Detector, image_rgb: ImageRGB, threshold: float, min_area_share: float
) -> list[Detection]:
    """Return the detector's objects, without boxes below a share of the picture's area."""
    height, width = image_rgb.shape[:2]
    found = detector.detect(DecodedImage.full_size(image_rgb), threshold)
    return drop_small(found, min_area_share * width * height)


def vehicles(detector: Detector, image_rgb: ImageRGB, threshold: float) -> list[Detection]:
    """Return the vehicles that `/predict` classifies, or the whole picture if there are none."""
    found = objects(detector, image_rgb, threshold)
    height, width = image_rgb.shape[:2]
    whole = Detection((0, 0, width, height), "picture", 1.0)
    return [each for each in found if each.class_name in detector.task.vehicles] or [whole]


def crops(image_rgb: ImageRGB, found: Sequence[Detection]) -> list[ImageRGB]:
    """Return the crops that a classifier receives."""
    return [crop(DecodedImage.full_size(image_rgb), each) for each in found]


def classify(
    classifier: Classifier, crops_rgb: Sequence[ImageRGB], top: int
) -> list[dict[str, Classification]]:
    """Return the `top` best classes of every crop, by output."""
    return classifier.classify(crops_rgb, top)


def run_raw(model: Detector | Classifier, image_rgb: ImageRGB) -> Outputs:
    """Return the model's outputs before decoding."""
    tensor, _ = prepare(image_rgb, model.manifest.input)
    return model.session.run(tensor)
