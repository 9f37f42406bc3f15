from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.budget import RequestBudget
from inference.class_outputs import ClassificationTask
from inference.decoding.resolution import DecodedImage
from inference.decoding.source import ImageSource
from inference.pipeline import crop, drop_small, keep_car_over_truck, keep_one_per_vehicle
from inference.types import Classification, Detection
from tests.support.models import fake_classifier, fake_detector, fake_pipeline
from tests.support.pictures import blank, plain

CAR = Detection((0, 0, 100, 100), "car", 0.5)
TRUCK = Detection((0, 0, 100, 100), "truck", 0.9)
SHIFTED_TRUCK = Detection((20, 0, 120, 100), "truck", 0.9)
BUS = Detection((0, 0, 100, 100), "bus", 0.9)

OVERLAPS = {
    "a car on a truck": ([TRUCK, CAR], [CAR]),
    "in the other order": ([CAR, TRUCK], [CAR]),
    "less than the limit": ([CAR, SHIFTED_TRUCK], [CAR, SHIFTED_TRUCK]),
    "two trucks": ([TRUCK, CAR, TRUCK], [CAR]),
    "two trucks, one of them apart": ([TRUCK, CAR, SHIFTED_TRUCK], [CAR, SHIFTED_TRUCK]),
    "another class": ([BUS, CAR], [BUS, CAR]),
    "no car": ([TRUCK, TRUCK], [TRUCK, TRUCK]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("found", "kept"), OVERLAPS.values(), ids=OVERLAPS)
def test_the_car_is_kept_over_the_truck(found: list[Detection], kept: list[Detection]) -> None:
    assert keep_car_over_truck(found, 0.9) == kept


def test_no_overlap_is_above_one() -> None:
    assert keep_car_over_truck([CAR, TRUCK], 1.0) == [CAR, TRUCK]


def test_small_boxes_are_dropped_and_the_others_keep_their_order() -> None:
    boxes = [(0, 0, 10, 10), (0, 0, 9, 11), (0, 0, 1, 1), (0, 0, 20, 20)]
    found = [Detection(box, "car", 0.5) for box in boxes]

    assert drop_small(found, 100) == [found[0], found[3]]


def test_the_smallest_box_is_a_share_of_the_picture() -> None:
    pipeline = fake_pipeline(fake_detector(((0, 0, 0.25, 0.25), 0.9, 0)))  # 1/256 of the input.

    assert pipeline.predict_objects(ImageSource.from_pixels(blank(400, 400)), 0.1) == []


def test_objects() -> None:
    found = fake_pipeline().predict_objects(ImageSource.from_pixels(blank(400, 100)), 0.4)

    assert [(each.class_name, each.box_xyxy) for each in found] == [
        ("car", (0, 0, 200, 100)),
        ("person", (200, 0, 400, 100)),
    ]


def test_only_vehicles_are_classified() -> None:
    vehicles = fake_pipeline().predict_class(ImageSource.from_pixels(blank(400, 100)), 0.4, top=1)

    assert len(vehicles) == 1
    assert vehicles[0].detection.class_name == "car"
    assert vehicles[0].name == Classification(("clio",), (0.75,))


def budget(crops_per_picture: int, crops: int, max_ms: float = 8000) -> RequestBudget:
    return RequestBudget(max_ms=max_ms, crops_per_picture=crops_per_picture, crops=crops)


ROW = ((0, 0, 1, 2), 0.6, 0), ((1, 0, 2, 2), 0.9, 0), ((2, 0, 3, 2), 0.8, 0), ((3, 0, 4, 2), 0.7, 0)
BUDGETS = {
    "no limit": (None, [True, True, True, True]),
    "a limit that is not reached": (budget(4, 4), [True, True, True, True]),
    "two per picture": (budget(2, 100), [True, True, False, False]),
    "three left for the request": (budget(20, 3), [True, True, True, False]),
    "none left for the request": (budget(20, 0), [False, False, False, False]),
    "time for one": (budget(20, 100, max_ms=30), [True, False, False, False]),
}


@pytest.mark.parametrize(("limits", "classified"), BUDGETS.values(), ids=BUDGETS)
def test_the_best_vehicles_are_classified(
    limits: RequestBudget | None, classified: list[bool]
) -> None:
    source = ImageSource(plain(40, 40), 10_000, limits)
    vehicles = fake_pipeline(fake_detector(*ROW)).predict_class(source, 0.4, top=1)

    assert [round(each.detection.confidence, 3) for each in vehicles] == [0.9, 0.8, 0.7, 0.6]
    assert [each.is_classified for each in vehicles] == classified
    names = [("clio",) if each else ("car",) for each in classified]
    assert [each.name.names for each in vehicles if each.name] == names


def test_classifiers_keep_their_order() -> None:
    pipeline = fake_pipeline(
        None, fake_classifier("z", {"p": {"a": 1.0}}), fake_classifier("a", {"p": {"b": 1.0}})
    )
    vehicles = pipeline.predict_class(ImageSource.from_pixels(blank(40, 40)), 0.4, top=5)

    assert vehicles[0].name == Classification(("a",), (1.0,))
    assert list(vehicles[0].attributes) == ["a"]


FAR_BUS = Detection((50, 0, 150, 100), "bus", 0.9)
NEAR_BUS = Detection((0, 0, 100, 90), "bus", 0.9)
PERSON = Detection((0, 0, 100, 100), "person", 0.4)
WEAK_BUS = Detection((0, 0, 100, 100), "bus", 0.3)
WEAK_CAR = Detection((0, 0, 100, 100), "car", 0.2)
COINCIDING = {
    "nearly the same box": ([NEAR_BUS, CAR], [NEAR_BUS]),
    "the same class": ([CAR, CAR], [CAR]),
    "apart": ([FAR_BUS, CAR], [FAR_BUS, CAR]),
    "an unsure one is kept": ([CAR, WEAK_BUS], [CAR, WEAK_BUS]),
    "an unsure one does not suppress": ([WEAK_BUS, WEAK_CAR], [WEAK_BUS, WEAK_CAR]),
    "not a vehicle": ([CAR, PERSON, PERSON], [CAR, PERSON, PERSON]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("found", "kept"), COINCIDING.values(), ids=COINCIDING)
def test_one_box_per_vehicle(found: list[Detection], kept: list[Detection]) -> None:
    assert keep_one_per_vehicle(found, {"car", "truck", "bus"}) == kept


def test_the_detectors_class_weighs_on_the_kind() -> None:
    kind = fake_classifier("kind", {"p": {"bus": 0.49, "truck": 0.38, "car": 0.13}})
    [output] = kind.task.outputs
    output = replace(output, role="kind", detector_weights={"car": (0.1, 1.0, 1.0)})
    pipeline = fake_pipeline(None, replace(kind, task=ClassificationTask((output,))))
    [vehicle] = pipeline.predict_class(ImageSource.from_pixels(blank(40, 40)), 0.4, top=2)

    assert vehicle.name
    assert vehicle.name.names == ("truck", "car")
    assert vehicle.name.probabilities == pytest.approx((0.38 / 0.559, 0.13 / 0.559))


def test_a_picture_without_vehicles() -> None:
    assert (
        fake_pipeline(fake_detector()).predict_class(
            ImageSource.from_pixels(blank(40, 40)), 0.4, top=5
        )
        == []
    )


def test_a_crop_is_a_view() -> None:
    image_rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    cut = crop(DecodedImage.full_size(image_rgb), Detection((1, 2, 4, 3), "car", 0.5))

    assert cut.shape == (1, 3, 3)
    assert cut.base is not None
    assert cut[0, 0].tolist() == image_rgb[2, 1].tolist()
