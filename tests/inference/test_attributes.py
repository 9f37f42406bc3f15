from __future__ import annotations

from collections.abc import Mapping

import pytest

from inference.attributes import ClassifierAnswer, describe_vehicle
from inference.class_outputs import ClassificationTask, ClassOutput
from inference.types import Attribute, Classification, Detection

CARS = frozenset({"car", "pickup"})
MAKE = ClassOutput("makes", ("audi", "other"), "none", 1.0, "make", CARS, 0.8, "other")
KIND = ClassOutput("kinds", ("bus", "car", "truck"), "none", 1.0, "kind")
COLOUR = ClassOutput("colours", ("red",), "none", 1.0, "colour")
EMBEDDED = ClassificationTask((MAKE, KIND, COLOUR))

CAR = Detection((0, 0, 9, 9), "car", 0.95)
TRUCK = Detection((0, 0, 9, 9), "truck", 0.95)
SURE = Classification(("audi", "other"), (0.8, 0.2))
UNSURE = Classification(("audi", "other"), (0.79, 0.21))
OTHER = Classification(("other", "audi"), (0.9, 0.1))
A_CAR = Classification(("car", "bus"), (0.6, 0.4))
A_BUS = Classification(("bus", "car"), (0.6, 0.4))
RED = Classification(("red",), (0.9,))


def classes(make: Classification, kind: Classification) -> dict[str, Classification]:
    return {"makes": make, "kinds": kind, "colours": RED}


NAMES: dict[str, tuple[Detection, dict[str, Classification], Classification, set[str]]] = {
    "a sure make": (CAR, classes(SURE, A_CAR), SURE, {"make", "kind", "colour"}),
    "an unsure make": (CAR, classes(UNSURE, A_CAR), A_CAR, {"make", "kind", "colour"}),
    "an unknown make": (CAR, classes(OTHER, A_CAR), A_CAR, {"make", "kind", "colour"}),
    "a bus has no make": (CAR, classes(SURE, A_BUS), A_BUS, {"kind", "colour"}),
    "the kind decides, not the detector": (
        TRUCK,
        classes(SURE, A_CAR),
        SURE,
        {"make", "kind", "colour"},
    ),
}


@pytest.mark.parametrize(("detection", "found", "name", "fields"), NAMES.values(), ids=NAMES)
def test_roles(
    detection: Detection,
    found: dict[str, Classification],
    name: Classification,
    fields: set[str],
) -> None:
    vehicle = describe_vehicle(detection, [ClassifierAnswer("vehicle_attributes", EMBEDDED, found)])

    assert vehicle.name == name
    assert set(vehicle.attributes) == fields
    assert vehicle.attributes["colour"] == Attribute(RED)


def named(detection: Detection, *outputs: ClassOutput) -> Classification | None:
    found = {"makes": SURE, "kinds": A_CAR, "colours": RED}
    task = ClassificationTask(outputs)
    return describe_vehicle(detection, [ClassifierAnswer("user", task, found)]).name


def test_without_a_kind_the_detector_decides() -> None:
    assert named(CAR, MAKE) == SURE
    assert named(TRUCK, MAKE) == Classification(("truck",), (0.95,))


def test_the_order_of_the_manifest_decides() -> None:
    assert named(CAR, KIND, MAKE) == A_CAR


PLAIN = ClassificationTask(
    (ClassOutput("main", ("a",), "none", 1.0), ClassOutput("more", ("b",), "none", 1.0))
)
A, B = Classification(("a",), (0.1,)), Classification(("b",), (0.2,))
ANSWERS: dict[str, tuple[list[str], Classification | None, Mapping[str, object]]] = {
    "no classifier": ([], None, {}),
    "one classifier": (["x"], A, {"more": Attribute(B)}),
    "two classifiers": (["x", "y"], A, {"more": Attribute(B), "y": Attribute(A, {"more": B})}),
}


@pytest.mark.parametrize(("models", "name", "attributes"), ANSWERS.values(), ids=ANSWERS)
def test_without_roles(
    models: list[str], name: Classification | None, attributes: Mapping[str, object]
) -> None:
    found = {"main": A, "more": B}
    vehicle = describe_vehicle(CAR, [ClassifierAnswer(model, PLAIN, found) for model in models])

    assert (vehicle.name, vehicle.attributes) == (name, attributes)


def test_roles_after_a_classifier_without() -> None:
    answers = [
        ClassifierAnswer("user", PLAIN, {"main": A, "more": B}),
        ClassifierAnswer("vehicle_attributes", EMBEDDED, classes(SURE, A_CAR)),
    ]
    vehicle = describe_vehicle(CAR, answers)

    assert vehicle.name == A
    assert set(vehicle.attributes) == {"more", "make", "kind", "colour"}
