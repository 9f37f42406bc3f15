"""What the two inference routes do with a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.classification import Classifier
from inference.decoding.source import Need, Picture, Scaled
from inference.detection import Detector
from inference.geometry import iou_one_to_many
from inference.types import Detection, ImageRGB, SizeWH, Vehicle


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A detector, the classifiers of its vehicles, and the filters between them.

    Attributes:
        detector: Finds the objects.
        classifiers: In the configured order; the first one's answer is the main one.
        min_area: Smallest box that counts, as a share of the picture's area, 0..1.
        max_car_truck_iou: Overlap above which a truck is taken for the car it lies on, 0..1.
    """

    detector: Detector
    classifiers: tuple[Classifier, ...]
    min_area: float
    max_car_truck_iou: float

    def predict_objects(self, picture: Picture, threshold: float) -> list[Detection]:
        """The objects of a picture, best first.

        Args:
            picture: Decoded as far as the detector needs it.
            threshold: Lowest score, 0..1.

        Raises:
            PictureError: The picture can't be decoded.
        """
        scaled = picture.scaled(self.detector.need)
        width, height = scaled.size_wh
        detections = self.detector.detect(scaled, threshold)
        large = drop_small(detections, self.min_area * width * height)
        return keep_car_over_truck(large, self.max_car_truck_iou)

    def predict_class(self, picture: Picture, threshold: float, top: int) -> list[Vehicle]:
        """The vehicles of a picture, best first, each classified.

        Args:
            picture: Decoded anew where the classifiers need more of it than the detector does.
            threshold: Lowest detection score, 0..1.
            top: How many classes a vehicle is given.

        Raises:
            PictureError: The picture can't be decoded.
        """
        vehicles = [
            detection
            for detection in self.predict_objects(picture, threshold)
            if detection.class_name in self.detector.task.vehicles
        ]
        if not vehicles:
            return []
        size_wh = picture.scaled(self.detector.need).size_wh
        scaled = picture.scaled(self._need_of_crops(vehicles, size_wh))
        crops_rgb = [crop(scaled, vehicle) for vehicle in vehicles]
        by_classifier = {
            classifier.manifest.name: classifier.classify(crops_rgb, top)
            for classifier in self.classifiers
        }
        return [
            Vehicle(vehicle, {name: answers[i] for name, answers in by_classifier.items()})
            for i, vehicle in enumerate(vehicles)
        ]

    def _need_of_crops(self, vehicles: Sequence[Detection], size_wh: SizeWH) -> Need:
        """How many pixels of the picture leave every crop enough for every classifier."""
        shrink = min(
            classifier.need.shrink((x2 - x1, y2 - y1))
            for classifier in self.classifiers
            for x1, y1, x2, y2 in (vehicle.box_xyxy for vehicle in vehicles)
        )
        return Need(size_wh[0] / shrink, size_wh[1] / shrink, every_side=True)


def crop(picture: Scaled, detection: Detection) -> ImageRGB:
    """A view of the pixels that a detection's box touches."""
    x1, y1, x2, y2 = detection.box_xyxy
    left, top = x1 // picture.shrink, y1 // picture.shrink
    right, bottom = -(-x2 // picture.shrink), -(-y2 // picture.shrink)
    return picture.image_rgb[top:bottom, left:right]


def drop_small(detections: Sequence[Detection], min_area: float) -> list[Detection]:
    """Those whose box has at least `min_area` square pixels, in their order."""
    return [detection for detection in detections if _area(detection) >= min_area]


def keep_car_over_truck(detections: Sequence[Detection], max_iou: float) -> list[Detection]:
    """Drop every truck that overlaps a car by more than `max_iou`, in their order.

    Detectors often report a van or a pickup as both; the published system kept the car.
    """
    boxes = [detection.box_xyxy for detection in detections if detection.class_name == "car"]
    cars_xyxy = np.array(boxes, dtype=np.float32).reshape(-1, 4)

    def is_car(truck: Detection) -> bool:
        box_xyxy = np.array(truck.box_xyxy, dtype=np.float32)
        return bool((iou_one_to_many(box_xyxy, cars_xyxy) > max_iou).any())

    return [
        detection
        for detection in detections
        if detection.class_name != "truck" or not is_car(detection)
    ]


def _area(detection: Detection) -> int:
    x1, y1, x2, y2 = detection.box_xyxy
    return (x2 - x1) * (y2 - y1)
