"""The embedded models' golden answers: `models/<name>/golden.json`.

Every expected object is found, with an IoU of 0.8 or more and a score in its range, and nothing
else is found surely. The pictures of `../shared` are left out where it is absent. After a change
of a model, `UPDATE_GOLDEN=1 python -m pytest tests/models/test_golden.py` writes what it answers
now; look at the pictures before committing that.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import rest_event
from tests.support.handlers import Handler

ROOT = Path(__file__).parents[2]
MIN_IOU = 0.8
EXPECTED_FROM = 0.5
"""Objects below this score are not asked for: they may miss the threshold on other processors."""
SURE = 0.65
"""An object that is not expected must stay below this."""
TOLERANCE = 0.1
SURE_MAKE = 0.9
"""Lowest probability of a make that is compared: below it, processors may disagree."""
MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}

PHOTOS = ("clio4.jpg", "spectrico_cars.jpg", "dlib_cars1.jpg", "darknet_dog.jpg", "ort_obj0.jpg")
PICTURES = [
    *(f"samples/{name}.jpg" for name in ("street", "bus", "car", "truck", "lorry")),
    *(f"../shared/photos/{name}" for name in PHOTOS),
]
ROUTES = {"vehicle_detector": "/object_detection", "vehicle_attributes": "/predict"}

Golden = list[dict[str, Any]]


def golden_file(model: str) -> Path:
    return ROOT / "models" / model / "golden.json"


def answer(handler: Handler, model: str, picture: str) -> Golden:
    """Return class, box and score of each object in the picture."""
    path = ROOT / picture
    event = rest_event(ROUTES[model], MEDIA_TYPES[path.suffix], path.read_bytes())
    response = handler(event, None)
    assert response["statusCode"] == 200, response
    return [described(model, found) for found in json.loads(response["body"])[0]]


def described(model: str, found: dict[str, Any]) -> dict[str, Any]:
    is_detector = model == "vehicle_detector"
    make = found.get("make", {"pred": [None], "prob": [0.0]})
    return {
        "class_name": found["class_name"] if is_detector else found["kind"]["pred"][0],
        "box_xyxy": [found[side] for side in ("x1", "y1", "x2", "y2")],
        "score": found["confidence"] if is_detector else found["kind"]["prob"][0],
        "confidence": found["confidence"],
        "make": make["pred"][0],
        "is_sure_make": make["prob"][0] >= SURE_MAKE,
    }


def iou(a: list[int], b: list[int]) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (a, b))
    return width * height / (areas - width * height)


def expected_of(found: Golden) -> Golden:
    return [
        {
            "class_name": each["class_name"],
            "box_xyxy": each["box_xyxy"],
            "score_min": round(max(each["score"] - TOLERANCE, 0), 2),
            "score_max": round(min(each["score"] + TOLERANCE, 1), 2),
            **({"make": each["make"]} if each["is_sure_make"] else {}),
        }
        for each in found
        if each["confidence"] >= EXPECTED_FROM
    ]


def cases() -> list[Any]:
    return [
        pytest.param(model, case, id=f"{model}-{Path(case['picture']).name}")
        for model in ROUTES
        for case in json.loads(golden_file(model).read_text())
    ]


@pytest.mark.skipif("UPDATE_GOLDEN" not in os.environ, reason="UPDATE_GOLDEN is not set")
@pytest.mark.parametrize("model", ROUTES)
def test_update(model: str, embedded_handler: Handler, shared: Path) -> None:
    golden = [
        {"picture": picture, "objects": expected_of(answer(embedded_handler, model, picture))}
        for picture in PICTURES
    ]
    golden_file(model).write_text(json.dumps(golden, indent=1) + "\n")


@pytest.mark.parametrize(("model", "case"), cases())
def test_golden_answer(model: str, case: dict[str, Any], embedded_handler: Handler) -> None:
    if not (ROOT / case["picture"]).exists():
        pytest.skip(f"{case['picture']} is absent: it is not part of the project")
    found = answer(embedded_handler, model, case["picture"])
    for wanted in case["objects"]:
        near = [each for each in found if iou(each["box_xyxy"], wanted["box_xyxy"]) >= MIN_IOU]
        names = [each["class_name"] for each in near]
        assert wanted["class_name"] in names, (wanted, found)
        best = near[names.index(wanted["class_name"])]
        assert wanted["score_min"] <= best["score"] <= wanted["score_max"], (wanted, best)
        assert best["make"] == wanted.get("make", best["make"]), (wanted, best)
    boxes = [wanted["box_xyxy"] for wanted in case["objects"]]
    strays = [
        each
        for each in found
        if each["confidence"] >= SURE and all(iou(each["box_xyxy"], box) < MIN_IOU for box in boxes)
    ]
    assert strays == []


@pytest.mark.parametrize("model", ROUTES)
def test_every_picture_has_its_golden_answer(model: str) -> None:
    assert [case["picture"] for case in json.loads(golden_file(model).read_text())] == PICTURES
