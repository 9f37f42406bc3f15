"""A picture decoded no further than the models see gets the answers that the whole one gets."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.decoding.decode import decode
from inference.decoding.source import ImageSource
from inference.errors import PictureError
from inference.geometry import iou
from inference.pipeline import Pipeline
from inference.types import Detection, Vehicle
from service.models import load_pipeline
from service.settings import Settings

ROOT = Path(__file__).parents[2]
MAX_PIXELS = 50_000_000
THRESHOLD = 0.4
MIN_IOU = 0.95
MAX_SCORE_DIFFERENCE = 0.03
MAX_PROBABILITY_DIFFERENCE = 0.1
"""A box that moves by a pixel changes the probability of a make more than that of a kind."""
LABELLED_PICTURES = 100
ENLARGED = 3
"""Factor that enlarges the samples to the size of a phone's photo."""


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return load_pipeline(Settings.from_environment({}))


def photos(shared: Path) -> Iterator[bytes]:
    for path in sorted((shared / "photos").iterdir()):
        yield path.read_bytes()


def labelled(shared: Path) -> Iterator[bytes]:
    paths = sorted((shared / "data" / "vehicles_openimages" / "valid").rglob("*.jpg"))
    paths += sorted((shared / "data" / "coco128").rglob("*.jpg"))
    for path in random.Random(6).sample(paths, LABELLED_PICTURES):  # noqa: S311  a fixed choice
        yield path.read_bytes()


def enlarged_samples(_shared: Path) -> Iterator[bytes]:
    for path in sorted((ROOT / "samples").glob("*.jpg")):
        with Image.open(path) as image:
            size_wh = (image.width * ENLARGED, image.height * ENLARGED)
            buffer = io.BytesIO()
            large = image.resize(size_wh, Image.Resampling.BICUBIC)
            large.save(buffer, "JPEG", quality=90, exif=image.getexif())
        yield buffer.getvalue()


SETS = {"photos": photos, "labelled pictures": labelled}


def differences(
    whole: Sequence[tuple[Detection, float]], fast: Sequence[tuple[Detection, float]]
) -> list[Any]:
    """Every object of the one answer that the other has not, or has elsewhere or less surely.

    One whose score is within the tolerance of the threshold may be missing.
    """
    boxes_xyxy = np.array([each.box_xyxy for each, _ in fast], dtype=np.float32).reshape(-1, 4)
    failed: list[Any] = []
    for found, score in whole:
        overlaps = iou(np.array(found.box_xyxy, dtype=np.float32), boxes_xyxy)
        same = [
            each
            for each, overlap in zip(fast, overlaps, strict=True)
            if overlap >= MIN_IOU and each[0].class_name == found.class_name
        ]
        if not same and found.confidence < THRESHOLD + MAX_SCORE_DIFFERENCE:
            continue
        if not any(
            abs(near.confidence - found.confidence) <= MAX_SCORE_DIFFERENCE
            and abs(other - score) <= MAX_PROBABILITY_DIFFERENCE
            for near, other in same
        ):
            failed.append((found, score, same))
    return failed


def answers(pipeline: Pipeline, source: ImageSource) -> list[tuple[Detection, float]]:
    """Every object with 0, every vehicle with the probability of its best class."""
    found = [(each, 0.0) for each in pipeline.predict_objects(source, THRESHOLD)]
    vehicles = pipeline.predict_class(source, THRESHOLD, top=1)
    return found + [(named(each), best(each)) for each in vehicles]


def named(vehicle: Vehicle) -> Detection:
    """The vehicle under the classifier's name, which then has to be the same too."""
    assert vehicle.name
    return Detection(
        vehicle.detection.box_xyxy, vehicle.name.names[0], vehicle.detection.confidence
    )


def best(vehicle: Vehicle) -> float:
    assert vehicle.name
    return vehicle.name.probabilities[0]


def compared(pipeline: Pipeline, files: Iterator[bytes]) -> tuple[list[Any], int, int]:
    """Return the differences, the objects compared, and the pictures decoded at reduced size."""
    failed: list[Any] = []
    objects = reduced = 0
    for content in files:
        try:
            whole = ImageSource.from_pixels(decode(content, max_pixels=MAX_PIXELS))
        except PictureError:
            continue
        source = ImageSource(content, MAX_PIXELS)
        reduced += source.decode(pipeline.detector.resolution).reduction > 1
        slow, fast = answers(pipeline, whole), answers(pipeline, source)
        failed += differences(slow, fast) + differences(fast, slow)
        objects += len(slow)
    return failed, objects, reduced


@pytest.mark.parametrize("name", SETS)
def test_the_answers_are_those_of_the_whole_picture(
    name: str, pipeline: Pipeline, shared: Path
) -> None:
    failed, objects, reduced = compared(pipeline, SETS[name](shared))

    assert failed == []
    assert objects > 50
    assert reduced >= (5 if name == "photos" else 0)


def test_the_answers_on_large_samples_are_those_of_the_whole_picture(pipeline: Pipeline) -> None:
    failed, objects, reduced = compared(pipeline, enlarged_samples(ROOT))

    assert failed == []
    assert objects >= 20
    assert reduced == len(list((ROOT / "samples").glob("*.jpg")))
