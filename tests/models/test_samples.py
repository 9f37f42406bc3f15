"""Answers of the embedded models for the sample pictures.

The expected boxes are where `scripts/draw_samples.py` puts the vehicles.
"""

from pathlib import Path

import pytest

from inference.decoding.decode import decode
from inference.decoding.source import ImageSource
from inference.pipeline import Pipeline
from inference.types import BoxXYXY, Detection
from service.models import load_pipeline
from service.settings import Settings

SAMPLES = Path(__file__).parents[2] / "samples"
MIN_SCORE = 0.5

MIN_PROBABILITY = 0.4
"""Lowest probability of the right class, which must be clearly the best of seven."""
MIN_IOU = 0.7

EXPECTED: dict[str, list[tuple[str, BoxXYXY]]] = {
    "street.jpg": [
        ("bus", (30, 292, 530, 425)),
        ("car", (60, 477, 410, 600)),
        ("car", (560, 496, 970, 640)),
        ("car", (640, 327, 890, 415)),
    ],
    "bus.jpg": [("bus", (110, 253, 850, 450))],
    "car.jpg": [("car", (140, 267, 660, 450))],
    "truck.jpg": [("car", (40, 485, 340, 590)), ("truck", (330, 252, 890, 480))],
    "lorry.jpg": [("truck", (215, 294, 745, 510))],
    "cutout.png": [("car", (140, 119, 500, 245))],
    "rotated.jpg": [("car", (50, 434, 550, 610))],
}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return load_pipeline(Settings.from_environment({}))


def iou(a: BoxXYXY, b: BoxXYXY) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (a, b))
    return width * height / (areas - width * height)


def by_class_and_place(detection: Detection) -> tuple[str, BoxXYXY]:
    return detection.class_name, detection.box_xyxy


def test_every_sample_has_its_expectation() -> None:
    assert set(EXPECTED) == {path.name for path in SAMPLES.iterdir()} - {"README.md"}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_detector_finds_what_is_drawn_and_nothing_else(name: str, pipeline: Pipeline) -> None:
    image_rgb = decode((SAMPLES / name).read_bytes(), max_pixels=1_000_000)
    found = sorted(
        pipeline.predict_objects(ImageSource.from_pixels(image_rgb), MIN_SCORE),
        key=by_class_and_place,
    )
    assert [each.class_name for each in found] == [label for label, _ in EXPECTED[name]]
    for each, (_, box_xyxy) in zip(found, EXPECTED[name], strict=True):
        assert iou(each.box_xyxy, box_xyxy) >= MIN_IOU, (each, box_xyxy)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_classifier_calls_them_by_their_kind(name: str, pipeline: Pipeline) -> None:
    image_rgb = decode((SAMPLES / name).read_bytes(), max_pixels=1_000_000)
    vehicles = pipeline.predict_class(ImageSource.from_pixels(image_rgb), MIN_SCORE, top=1)
    kinds = {}
    for vehicle in vehicles:
        assert vehicle.name
        kinds[vehicle.detection] = vehicle.name
    found = sorted(kinds, key=by_class_and_place)
    assert [kinds[each].names[0] for each in found] == [label for label, _ in EXPECTED[name]]
    assert all(kind.probabilities[0] >= MIN_PROBABILITY for kind in kinds.values())
