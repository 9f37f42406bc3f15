"""Detection, filters and classification: the steps of the two inference routes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from inference.attributes import ClassifierAnswer, describe_unclassified, describe_vehicle
from inference.classification import Classifier
from inference.decoding.resolution import DecodedImage, Resolution
from inference.decoding.source import ImageSource
from inference.detection import Detector
from inference.geometry import iou
from inference.types import Detection, ImageRGB, SizeWH, Vehicle

SAME_VEHICLE_IOU = 0.8
"""Overlap above which two boxes of vehicles show the same one, whatever their classes."""

SURE_CONFIDENCE = 0.4
"""Confidence from which vehicles suppress each other. A less certain one often has the right class:
mAP50 on the validation pictures is 0.644 with this limit, 0.638 if all are suppressed."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A detector, classifiers for its vehicles, and the filters between them.

    Attributes:
        detector: The detection model.
        classifiers: In the configured order; the first one gives the main answer.
        min_area: Smallest box that is kept, as a share of the image's area, 0..1.
        max_car_truck_iou: IoU above which a truck that overlaps a car is dropped, 0..1.
    """

    detector: Detector
    classifiers: tuple[Classifier, ...]
    min_area: float
    max_car_truck_iou: float

    def predict_objects(self, source: ImageSource, threshold: float) -> list[Detection]:
        """Return the objects of an image, highest score first.

        Args:
            source: The image; it is decoded to the resolution of the detector.
            threshold: Lowest score, 0..1.

        Raises:
            PictureError: The image cannot be decoded.
        """
        decoded = source.decode(self.detector.resolution)
        width, height = decoded.size_wh
        detections = self.detector.detect(decoded, threshold)
        large = drop_small(detections, self.min_area * width * height)
        without_trucks = keep_car_over_truck(large, self.max_car_truck_iou)
        return keep_one_per_vehicle(without_trucks, self.detector.task.vehicles)

    def predict_class(self, source: ImageSource, threshold: float, top: int) -> list[Vehicle]:
        """Return the vehicles of an image with their classes, highest detection score first.

        The source's budget limits how many are classified; the others have the lowest scores.

        Args:
            source: The image; it is decoded again if the classifiers need a higher resolution
                than the detector.
            threshold: Lowest detection score, 0..1.
            top: Number of classes per vehicle.

        Raises:
            PictureError: The image cannot be decoded.
        """
        found = [
            detection
            for detection in self.predict_objects(source, threshold)
            if detection.class_name in self.detector.task.vehicles
        ]
        count = source.take_crops(len(found))
        vehicles = self._classify(source, found[:count], top) if count else []
        return vehicles + list(map(describe_unclassified, found[count:]))

    def _classify(
        self, source: ImageSource, vehicles: Sequence[Detection], top: int
    ) -> list[Vehicle]:
        size_wh = source.decode(self.detector.resolution).size_wh
        decoded = source.decode(self._crops_resolution(vehicles, size_wh))
        crops_rgb = [crop(decoded, vehicle) for vehicle in vehicles]
        detected = [vehicle.class_name for vehicle in vehicles]
        answers: list[list[ClassifierAnswer]] = [[] for _ in vehicles]
        for classifier in self.classifiers:
            name, task = classifier.manifest.name, classifier.task
            crops_classes = classifier.classify(crops_rgb, top, detected)
            for vehicle_answers, classes in zip(answers, crops_classes, strict=True):
                vehicle_answers.append(ClassifierAnswer(name, task, classes))
        return list(map(describe_vehicle, vehicles, answers))

    def _crops_resolution(self, vehicles: Sequence[Detection], size_wh: SizeWH) -> Resolution:
        """Return the resolution of the image at which every crop suits every classifier."""
        reduction = min(
            classifier.resolution.reduction((x2 - x1, y2 - y1))
            for classifier in self.classifiers
            for x1, y1, x2, y2 in (vehicle.box_xyxy for vehicle in vehicles)
        )
        return Resolution(size_wh[0] / reduction, size_wh[1] / reduction, every_side=True)


def crop(decoded: DecodedImage, detection: Detection) -> ImageRGB:
    """Return a view of the pixels that a detection's box touches."""
    x1, y1, x2, y2 = detection.box_xyxy
    reduction = decoded.reduction
    left, top = x1 // reduction, y1 // reduction
    right, bottom = -(-x2 // reduction), -(-y2 // reduction)
    return decoded.image_rgb[top:bottom, left:right]


def drop_small(detections: Sequence[Detection], min_area: float) -> list[Detection]:
    """Return the detections whose box has at least `min_area` square pixels, in the same order."""
    return [detection for detection in detections if _area(detection) >= min_area]


def keep_car_over_truck(detections: Sequence[Detection], max_iou: float) -> list[Detection]:
    """Return the detections without trucks that overlap a car by more than `max_iou`.

    Detectors often report a van or a pickup as both; the published system kept the car.
    """
    boxes = [detection.box_xyxy for detection in detections if detection.class_name == "car"]
    cars_xyxy = np.array(boxes, dtype=np.float32).reshape(-1, 4)

    def is_car(truck: Detection) -> bool:
        box_xyxy = np.array(truck.box_xyxy, dtype=np.float32)
        return bool((iou(box_xyxy, cars_xyxy) > max_iou).any())

    return [
        detection
        for detection in detections
        if detection.class_name != "truck" or not is_car(detection)
    ]


def keep_one_per_vehicle(
    detections: Sequence[Detection], vehicles: Collection[str]
) -> list[Detection]:
    """Drop every sure vehicle that nearly coincides with a surer one of any class, in their order.

    Suppression by class leaves a fire engine that is detected as a truck and as a bus.

    Args:
        detections: Objects, highest score first.
        vehicles: Classes of vehicles.
    """
    boxes = [detection.box_xyxy for detection in detections]
    boxes_xyxy = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    kept: list[Detection] = []
    sure: list[int] = []
    for position, detection in enumerate(detections):
        if detection.class_name in vehicles and detection.confidence >= SURE_CONFIDENCE:
            if (iou(boxes_xyxy[position], boxes_xyxy[sure]) > SAME_VEHICLE_IOU).any():
                continue
            sure.append(position)
        kept.append(detection)
    return kept


def _area(detection: Detection) -> int:
    x1, y1, x2, y2 = detection.box_xyxy
    return (x2 - x1) * (y2 - y1)
