"""What each route makes of a picture: its element of the answer."""

from __future__ import annotations

from typing import Any

from inference.decoding.resolution import SMALLEST
from inference.decoding.source import ImageSource
from inference.pipeline import Pipeline
from service.json_answers import detection_json, vehicle_json

CHANNELS = 3
"""Every picture counts as red, green and blue, a byte each."""


def shape_of(source: ImageSource) -> list[int]:
    """`/shape`: height, width and channels of the upright picture, if all of it can be decoded."""
    width, height = source.decode(SMALLEST).size_wh
    return [height, width, CHANNELS]


def nbytes_of(source: ImageSource) -> int:
    """`/nbytes`: the size of the upright picture's pixels, if all of it can be decoded."""
    width, height = source.decode(SMALLEST).size_wh
    return height * width * CHANNELS


def detect(pipeline: Pipeline, threshold: float, source: ImageSource) -> list[dict[str, Any]]:
    """`/object_detection`: the objects whose score is at least `threshold`, 0..1."""
    found = pipeline.predict_objects(source, threshold)
    return [detection_json(detection) for detection in found]


def classify(
    pipeline: Pipeline, threshold: float, top: int, source: ImageSource
) -> list[dict[str, Any]]:
    """`/predict`: the vehicles, each with its `top` best classes."""
    found = pipeline.predict_class(source, threshold, top)
    return [vehicle_json(vehicle) for vehicle in found]
