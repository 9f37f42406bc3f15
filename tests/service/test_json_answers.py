from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import UrlNotAllowed
from gateway.parts import FormFile, S3Field, UrlField
from inference.class_outputs import ClassificationTask
from inference.classification import Classifier
from inference.errors import ModelUnavailable
from inference.types import Attribute, Classification, Detection, Vehicle
from service.json_answers import (
    check_names,
    classifier_json,
    details_json,
    detector_json,
    label_of,
    object_json,
    picture_answer_json,
)
from service.results import PictureAnswer, Result, Timing
from tests.support.models import fake_classifier, fake_detector, fake_manifest

CAR = Detection((1, 2, 30, 40), "car", 0.95123456789)
CAR_FIELDS = {
    "x1": 1,
    "y1": 2,
    "x2": 30,
    "y2": 40,
    "class_name": "car",
    "confidence": 0.951235,
    "label": "car: 0.9512",
}
CLIO = Classification(("clio", "logan"), (0.87654321, 0.1))
CLIO_FIELDS = {"label": "clio: 0.8765", "pred": ["clio", "logan"], "prob": [0.876543, 0.1]}
TYPE = Classification(("car",), (1.0,))
RED = Classification(("red",), (0.5,))
TYPE_FIELDS = {"label": "car: 1.0", "pred": ["car"], "prob": [1.0]}
RED_FIELDS = {"label": "red: 0.5", "pred": ["red"], "prob": [0.5]}

OBJECTS: dict[str, tuple[Detection | Vehicle, dict[str, Any]]] = {
    "detection": (CAR, CAR_FIELDS),
    "no classifier": (Vehicle(CAR, None, {}), CAR_FIELDS),
    "one classifier": (Vehicle(CAR, CLIO, {}), {**CAR_FIELDS, **CLIO_FIELDS}),
    "an attribute": (
        Vehicle(CAR, CLIO, {"colour": Attribute(RED)}),
        {**CAR_FIELDS, **CLIO_FIELDS, "colour": RED_FIELDS},
    ),
    "an attribute with two outputs": (
        Vehicle(CAR, CLIO, {"attributes": Attribute(TYPE, {"colour": RED})}),
        {**CAR_FIELDS, **CLIO_FIELDS, "attributes": {**TYPE_FIELDS, "colour": RED_FIELDS}},
    ),
}


@pytest.mark.parametrize(("each", "fields"), OBJECTS.values(), ids=OBJECTS)
def test_object(each: Detection | Vehicle, fields: dict[str, Any]) -> None:
    assert object_json(each) == fields
    assert label_of(each) == fields["label"]


def test_published_fields_are_in_the_published_order() -> None:
    assert list(object_json(Vehicle(CAR, CLIO, {}))) == [
        "x1", "y1", "x2", "y2", "class_name", "confidence", "label", "pred", "prob",
    ]  # fmt: skip


PICTURE_ANSWERS: dict[str, tuple[PictureAnswer | None, object]] = {
    "failed": (None, []),
    "objects": ([CAR], [CAR_FIELDS]),
    "no objects": ([], []),
    "shape": ((6, 8, 3), (6, 8, 3)),
    "bytes": (144, 144),
}


@pytest.mark.parametrize(("answer", "expected"), PICTURE_ANSWERS.values(), ids=PICTURE_ANSWERS)
def test_picture_answer(answer: PictureAnswer | None, expected: object) -> None:
    assert picture_answer_json(answer) == expected


FAILED = UrlNotAllowed("Only http.")
DETAILS: dict[str, tuple[Result, dict[str, Any]]] = {
    "file": (
        Result(FormFile(b"", "a.png"), [CAR], (800, 600), timing=Timing(0, 1.25, 30.06)),
        {
            "field": "image",
            "filename": "a.png",
            "width": 800,
            "height": 600,
            "predictions": [CAR_FIELDS],
            "error": None,
            "timing_ms": {"fetch": 0, "decode": 1.2, "inference": 30.1},
        },
    ),
    "url that failed": (
        Result(UrlField("ftp://user:secret@a.example/b?token=secret"), error=FAILED),
        {
            "field": "url",
            "filename": "ftp://a.example/b",
            "width": None,
            "height": None,
            "predictions": [],
            "error": {"code": "url_not_allowed", "message": "Only http."},
            "timing_ms": {"fetch": 0.0, "decode": 0.0, "inference": 0.0},
        },
    ),
    "upload": (
        Result(S3Field("s3://bucket/uploads/abc"), (6, 8, 3), (8, 6), timing=Timing(12.34)),
        {
            "field": "s3",
            "filename": "s3://bucket/uploads/abc",
            "width": 8,
            "height": 6,
            "predictions": (6, 8, 3),
            "error": None,
            "timing_ms": {"fetch": 12.3, "decode": 0.0, "inference": 0.0},
        },
    ),
}


@pytest.mark.parametrize(("result", "expected"), DETAILS.values(), ids=DETAILS)
def test_details_of_a_part(result: Result, expected: dict[str, Any]) -> None:
    assert details_json([result], [], "id-1")["images"] == [expected]


def test_details_name_the_models() -> None:
    manifests = [
        fake_manifest("detector", fake_detector().task),
        fake_manifest("make", fake_classifier("make", {"p": {"a": 1.0}}).task),
    ]
    detector, make = (
        {"name": name, "version": "1.0.0", "sha256": "0" * 64} for name in ("detector", "make")
    )

    assert details_json([], [], "id-1") == {
        "model": {"detection": None, "classification": []},
        "images": [],
        "request_id": "id-1",
    }
    assert details_json([], manifests, "id-1")["model"] == {
        "detection": detector,
        "classification": [make],
    }


def test_a_detector() -> None:
    assert detector_json(fake_detector()) == {
        "name": "fake_detector",
        "version": "1.0.0",
        "sha256": "0" * 64,
        "licence": "Apache-2.0",
        "input": {"width": 4, "height": 4},
        "labels": ["car", "truck", "person"],
        "vehicles": ["car", "truck"],
    }


def test_a_classifier() -> None:
    element = classifier_json(fake_classifier("make", {"p": {"Renault": 1.0}}))

    assert element["name"] == "make"
    assert element["outputs"] == [{"name": "p", "labels": ["Renault"]}]


def test_an_output_with_a_role() -> None:
    assert classifier_json(with_role(fake_classifier("x", {"p": {"audi": 1.0}}), "make"))[
        "outputs"
    ] == [
        {
            "name": "p",
            "labels": ["audi"],
            "role": "make",
            "applies_to": ["car", "pickup"],
            "threshold": 0.8,
        }
    ]


def with_role(classifier: Classifier, role: str) -> Classifier:
    [output] = classifier.task.outputs
    output = replace(output, role=role, applies_to=frozenset({"pickup", "car"}), threshold=0.8)
    return replace(classifier, task=ClassificationTask((output,)))


@pytest.mark.parametrize("role", ["make", "label"])
def test_roles_that_collide(role: str) -> None:
    make = with_role(fake_classifier("x", {"p": {"a": 1.0}}), "make")
    check_names([make, fake_classifier("colour", {"p": {"a": 1.0}})])

    with pytest.raises(ModelUnavailable, match=rf"\['{role}'\]"):
        check_names([make, with_role(fake_classifier("y", {"p": {"a": 1.0}}), role)])


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
