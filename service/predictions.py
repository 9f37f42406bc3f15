"""What each route makes of a picture: its element of the answer."""

from __future__ import annotations

from typing import Any

from inference.decoding.source import NOTHING, Picture
from inference.pipeline import Pipeline
from service.json_answers import detection_json, vehicle_json

CHANNELS = 3
"""Every picture counts as red, green and blue, a byte each."""


def shape_of(picture: Picture) -> list[int]:
    """`/shape`: height, width and channels of the upright picture, if all of it can be decoded."""
    width, height = picture.scaled(NOTHING).size_wh
    return [height, width, CHANNELS]


def nbytes_of(picture: Picture) -> int:
    """`/nbytes`: the size of the upright picture's pixels, if all of it can be decoded."""
    width, height = picture.scaled(NOTHING).size_wh
    return height * width * CHANNELS


def detect(pipeline: Pipeline, threshold: float, picture: Picture) -> list[dict[str, Any]]:
    """`/object_detection`: the objects whose score is at least `threshold`, 0..1."""
    found = pipeline.predict_objects(picture, threshold)
    return [detection_json(detection) for detection in found]


def classify(
    pipeline: Pipeline, threshold: float, top: int, picture: Picture
) -> list[dict[str, Any]]:
    """`/predict`: the vehicles, each with its `top` best classes."""
    found = pipeline.predict_class(picture, threshold, top)
    return [vehicle_json(vehicle) for vehicle in found]
