"""Every detector and classifier format on a real published model and real photos."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inference.classification import Classifier, load_classifier
from inference.decoding.decode import decode
from inference.decoding.resolution import DecodedImage
from inference.detection import Detector, load_detector
from inference.manifest import load_manifest
from service.settings import Settings
from tests.support.events import form_event, load_event, upload
from tests.support.handlers import Handler, make_handler
from tests.support.models import SHARED, published_model
from tests.support.network import FakeNetwork, http_answer
from tests.support.pictures import STORED, encode

Box = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def base(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for manifest in (Path(__file__).parent.parent / "manifests").iterdir():
        published_model(manifest.name, folder)
    return folder


def photo(name: str) -> bytes:
    return (SHARED / "photos" / name).read_bytes()


@pytest.fixture(scope="module")
def detector(base: Path) -> Callable[[str], Detector]:
    return lambda name: load_detector(load_manifest(base / name))


@pytest.fixture(scope="module")
def classifier(base: Path) -> Callable[[str], Classifier]:
    return lambda name: load_classifier(load_manifest(base / name))


def overlap(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared_area = max(0, width) * max(0, height)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (a, b)]
    return shared_area / (sum(areas) - shared_area)


CLIO: Box = (33, 85, 955, 572)
TRUCK: Box = (467, 77, 690, 172)
DOG: Box = (131, 212, 322, 543)
PERSON: Box = (868, 118, 1022, 314)
DETECTORS: dict[str, tuple[str, str, str, float, Box]] = {
    "ssd: the Clio": ("ssd_mobilenet_v1_quant", "clio4.jpg", "car", 0.7, CLIO),
    "ssd: the dog's truck": ("ssd_mobilenet_v1_quant", "darknet_dog.jpg", "truck", 0.55, TRUCK),
    "yolox: the Clio": ("yolox_nano", "clio4.jpg", "car", 0.85, CLIO),
    "yolox: the dog": ("yolox_nano", "darknet_dog.jpg", "dog", 0.8, DOG),
    "yolox: a person": ("yolox_nano", "clio-peugeot.jpg", "person", 0.7, PERSON),
    "picodet: the Clio": ("picodet_s_416", "clio4.jpg", "car", 0.95, CLIO),
    "picodet: the dog": ("picodet_s_416", "darknet_dog.jpg", "dog", 0.9, DOG),
    "boxes: the Clio": ("pvb_crossroad_0078", "clio4.jpg", "vehicle", 0.95, CLIO),
    "boxes: a person": ("pvb_crossroad_0078", "clio-peugeot.jpg", "person", 0.95, PERSON),
}


@pytest.mark.parametrize(
    ("model", "picture", "class_name", "score", "box_xyxy"), DETECTORS.values(), ids=DETECTORS
)
def test_detector(
    model: str,
    picture: str,
    class_name: str,
    score: float,
    box_xyxy: Box,
    detector: Callable[[str], Detector],
) -> None:
    image_rgb = decode(photo(picture), max_pixels=50_000_000)
    found = [
        (round(overlap(each.box_xyxy, box_xyxy), 2), round(each.confidence, 2))
        for each in detector(model).detect(DecodedImage.full_size(image_rgb), 0.3)
        if each.class_name == class_name
    ]

    assert found
    best_overlap, confidence = max(found)
    assert best_overlap >= 0.8
    assert confidence >= score


CLASSES: dict[str, tuple[str, str, dict[str, tuple[str, float]]]] = {
    "floats, BGR, mean": (
        "squeezenet",
        "clio4.jpg",
        {"softmaxout_1": ("sports car, sport car", 0.9)},
    ),
    "bytes": (
        "mobilenet_v2_quant",
        "clio4.jpg",
        {"MobilenetV2/Predictions/Softmax": ("minivan", 0.85)},
    ),
    "two outputs": (
        "vehicle_attributes_0039",
        "clio4.jpg",
        {"type": ("car", 0.95), "color": ("white", 0.95)},
    ),
    "a batch of padded squares": (
        "spectrico_brand",
        "clio4.jpg",
        {"probabilities": ("Renault", 0.95)},
    ),
    "red, not blue": ("spectrico_color", "bmw.png", {"probabilities": ("red", 0.5)}),
    "red, not blue, by another": (
        "vehicle_attributes_0039",
        "bmw.png",
        {"type": ("car", 0.7), "color": ("red", 0.95)},
    ),
}


@pytest.mark.parametrize(("model", "picture", "best"), CLASSES.values(), ids=CLASSES)
def test_classifier(
    model: str,
    picture: str,
    best: dict[str, tuple[str, float]],
    classifier: Callable[[str], Classifier],
) -> None:
    image_rgb = decode(photo(picture), max_pixels=50_000_000)
    x1, y1, x2, y2 = CLIO if picture == "clio4.jpg" else (0, 0, *image_rgb.shape[1::-1])
    found = classifier(model).classify([image_rgb[y1:y2, x1:x2]], top=5)[0]

    assert {name: each.names[0] for name, each in found.items()} == {
        name: label for name, (label, _) in best.items()
    }
    assert all(found[name].probabilities[0] >= least for name, (_, least) in best.items())


@pytest.fixture(scope="module")
def makes_handler(base: Path) -> Handler:
    """The published system's own task: vehicles, and the make of each."""
    settings = replace(
        Settings.from_environment({}),
        base_model_path=base,
        detection_model="pvb_crossroad_0078",
        classification_models=("spectrico_brand",),
    )
    network = FakeNetwork(
        {"photos.example/clio4.jpg": http_answer(photo("clio4.jpg"))},
    )
    return make_handler(settings, network.fetcher(max_bytes=10_000_000))


def answer(handler: Handler, *pictures: bytes, path: str = "/predict") -> Any:
    response = handler(form_event(path, *(upload(picture) for picture in pictures)), None)
    assert response["statusCode"] == 200
    return json.loads(response["body"])


def test_one_clio(makes_handler: Handler) -> None:
    [[clio]] = answer(makes_handler, photo("clio4.jpg"))

    assert clio["class_name"] == "vehicle"
    assert clio["confidence"] >= 0.95
    assert clio["pred"][0] == "Renault"
    assert overlap((clio["x1"], clio["y1"], clio["x2"], clio["y2"]), CLIO) >= 0.9


def test_a_street_of_makes(makes_handler: Handler) -> None:
    picture = photo("clio-peugeot.jpg")
    [objects] = answer(makes_handler, picture, path="/object_detection")
    [vehicles] = answer(makes_handler, picture)

    assert len([each for each in objects if each["confidence"] >= 0.5]) == 5
    assert {"Renault", "Peugeot", "Audi", "Mini"} <= {each["pred"][0] for each in vehicles}


def test_a_bmw(makes_handler: Handler) -> None:
    [vehicles] = answer(makes_handler, photo("bmw.png"))

    assert vehicles[0]["pred"][0] == "BMW"


def test_an_upload_and_a_url_have_the_same_answer(makes_handler: Handler) -> None:
    event = form_event(
        "/predict", upload(photo("clio4.jpg")), ("url", "http://photos.example/clio4.jpg")
    )
    uploaded, fetched = json.loads(makes_handler(event, None)["body"])

    assert uploaded == fetched
    assert uploaded[0]["pred"][0] == "Renault"


def test_the_eight_orientations_of_a_photo_have_the_same_boxes(shared: Path) -> None:
    handler = make_handler(Settings.from_environment({}))
    upright = Image.open(shared / "photos/clio4.jpg").convert("RGB")
    pictures = []
    for orientation, method in STORED.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = upright if method is None else upright.transpose(method)
        pictures.append(encode(stored, "PNG", exif=exif))
    answers = [answer(handler, picture)[0] for picture in pictures]

    assert len(answers[0]) == 1
    assert all(each == answers[0] for each in answers)


def test_the_published_event_with_a_photo(makes_handler: Handler) -> None:
    event = form_event("/predict", upload(photo("bmw.png")), upload(photo("clio4.jpg")))
    as_published = {
        **load_event("published_predict"),
        "headers": {"content-type": event["headers"]["Content-Type"]},
        "body": event["body"].encode(),
    }
    first, second = json.loads(makes_handler(as_published, None)["body"])

    assert first[0]["label"].startswith("BMW: 0.9")
    assert second[0]["label"].startswith("Renault: 0.9")
