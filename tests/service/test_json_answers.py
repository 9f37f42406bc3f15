from __future__ import annotations

import pytest

from inference.errors import ModelUnavailable
from inference.types import Classification, Detection, Vehicle
from service.json_answers import (
    check_names,
    classifier_json,
    detection_json,
    detector_json,
    vehicle_json,
)
from tests.support.models import fake_classifier, fake_detector

CAR = Detection((1, 2, 30, 40), "car", 0.95123456789)


def test_a_detection_has_the_published_fields_in_the_published_order() -> None:
    element = detection_json(CAR)

    assert list(element.items()) == [
        ("x1", 1),
        ("y1", 2),
        ("x2", 30),
        ("y2", 40),
        ("class_name", "car"),
        ("confidence", 0.951235),
        ("label", "car: 0.9512"),
    ]


def test_a_vehicle_is_labelled_by_its_best_class() -> None:
    main = {"probabilities": Classification(("RENAULT CLIO", "DACIA LOGAN"), (0.87654321, 0.1))}
    element = vehicle_json(Vehicle(CAR, {"make": main}))

    assert element == {
        "x1": 1,
        "y1": 2,
        "x2": 30,
        "y2": 40,
        "class_name": "car",
        "confidence": 0.951235,
        "label": "RENAULT CLIO: 0.8765",
        "pred": ["RENAULT CLIO", "DACIA LOGAN"],
        "prob": [0.876543, 0.1],
    }


def test_further_classifiers_and_outputs_stand_under_their_names() -> None:
    attributes = {
        "type": Classification(("car",), (1.0,)),
        "color": Classification(("red",), (0.5,)),
    }
    make = {"probabilities": Classification(("Renault",), (0.25,))}
    element = vehicle_json(Vehicle(CAR, {"attributes": attributes, "make": make}))

    assert (element["label"], element["pred"], element["prob"]) == ("car: 1.0", ["car"], [1.0])
    assert element["color"] == {"label": "red: 0.5", "pred": ["red"], "prob": [0.5]}
    assert element["make"] == {"label": "Renault: 0.25", "pred": ["Renault"], "prob": [0.25]}

    swapped = vehicle_json(Vehicle(CAR, {"make": make, "attributes": attributes}))
    assert swapped["label"] == "Renault: 0.25"
    assert swapped["attributes"] == {
        "label": "car: 1.0",
        "pred": ["car"],
        "prob": [1.0],
        "color": {"label": "red: 0.5", "pred": ["red"], "prob": [0.5]},
    }


def test_a_detector_is_described() -> None:
    assert detector_json(fake_detector()) == {
        "name": "fake_detector",
        "version": "1.0.0",
        "sha256": "0" * 64,
        "licence": "Apache-2.0",
        "input": {"width": 4, "height": 4},
        "labels": ["car", "truck", "person"],
        "vehicles": ["car", "truck"],
    }


def test_a_classifier_is_described() -> None:
    element = classifier_json(fake_classifier("make", {"p": {"Renault": 1.0}}))

    assert element["name"] == "make"
    assert element["outputs"] == [{"name": "p", "labels": ["Renault"]}]


COLLISIONS = {
    "a model twice": ([], ("make", "make"), "make"),
    "a model and an output": (["colour"], ("attributes", "colour"), "colour"),
    "a second model's output and a field": (["label"], ("make", "attributes"), "label"),
    "the first model's output and a field": (["x1"], ("attributes",), "x1"),
}


@pytest.mark.parametrize(("extra", "models", "name"), COLLISIONS.values(), ids=COLLISIONS)
def test_names_that_collide(extra: list[str], models: tuple[str, ...], name: str) -> None:
    classifiers = [
        fake_classifier(model, {"main": {"a": 1.0}, **{each: {"a": 1.0} for each in extra}})
        if model == "attributes"
        else fake_classifier(model, {"main": {"a": 1.0}})
        for model in models
    ]
    with pytest.raises(ModelUnavailable, match=rf"\['{name}'\]"):
        check_names(classifiers)
