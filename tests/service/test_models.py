from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from inference.errors import ModelUnavailable
from inference.pipeline import Pipeline
from service.app import make_app
from service.handler import handle
from service.models import Models, load_pipeline, make_models
from service.settings import Settings
from tests.support.events import form_event, upload
from tests.support.models import fake_detector, fake_pipeline, tiny_folder
from tests.support.pictures import plain


def own(settings: Settings, folder: Path, *classifiers: str) -> Settings:
    return replace(settings, base_model_path=folder, classification_models=classifiers)


def test_the_embedded_models_load(settings: Settings) -> None:
    pipeline = load_pipeline(settings)

    assert pipeline.detector.manifest.name == "vehicle_detector"
    assert [each.manifest.name for each in pipeline.classifiers] == ["vehicle_attributes"]
    assert (pipeline.min_area, pipeline.max_car_truck_iou) == (0.005, 0.9)


def test_classifiers_load_in_their_order(settings: Settings, tmp_path: Path) -> None:
    for name in ("make", "colour"):
        tiny_folder(tmp_path, name)
    pipeline = load_pipeline(own(settings, tmp_path, "make", "colour"))

    assert [each.manifest.name for each in pipeline.classifiers] == ["make", "colour"]


def test_no_classifier_is_fine(settings: Settings, tmp_path: Path) -> None:
    assert load_pipeline(own(settings, tmp_path)).classifiers == ()


def test_two_models_must_not_write_the_same_field(settings: Settings, tmp_path: Path) -> None:
    for name in ("make", "label"):
        tiny_folder(tmp_path, name)

    assert len(load_pipeline(own(settings, tmp_path, "label")).classifiers) == 1
    with pytest.raises(ModelUnavailable, match=r"\['label'\]"):
        load_pipeline(own(settings, tmp_path, "make", "label"))


def test_a_missing_model_is_named_and_loaded_by_the_next_call(
    settings: Settings, tmp_path: Path
) -> None:
    models = Models(partial(load_pipeline, own(settings, tmp_path, "make")))
    with pytest.raises(ModelUnavailable, match="make"):
        models.pipeline()
    tiny_folder(tmp_path, "make")

    pipeline = models.pipeline()
    assert [each.manifest.name for each in pipeline.classifiers] == ["make"]
    assert models.pipeline() is pipeline, "loaded once"


def test_an_unforeseen_failure_is_a_model_that_is_unavailable() -> None:
    attempts = []

    def load() -> Pipeline:
        attempts.append(1)
        if len(attempts) == 1:
            raise ZeroDivisionError
        return fake_pipeline()

    models = Models(load)
    with pytest.raises(ModelUnavailable) as caught:
        models.pipeline()

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert models.pipeline().detector.manifest.name == "fake_detector"


SEVERAL: dict[str, tuple[bool, list[int], list[str]]] = {
    "one picture": (True, [1, 1], ["alone", "alone"]),
    "several pictures": (True, [2, 32], ["several", "several"]),
    "by turns": (True, [1, 2, 1], ["alone", "several", "alone"]),
    "one core": (False, [1, 2], ["alone", "alone"]),
}


@pytest.mark.parametrize(("has_several", "requests", "used"), SEVERAL.values(), ids=SEVERAL)
def test_several_pictures_have_models_of_their_own(
    has_several: bool, requests: list[int], used: list[str]
) -> None:
    loaded = {"alone": fake_pipeline(), "several": fake_pipeline()}
    loads: list[str] = []

    def load(name: str) -> Pipeline:
        loads.append(name)
        return loaded[name]

    models = Models(partial(load, "alone"), partial(load, "several") if has_several else None)
    models.pipeline()
    found = [models.pipeline_for(pictures) for pictures in requests]

    assert [next(name for name in loaded if loaded[name] is each) for each in found] == used
    assert loads == list(dict.fromkeys(["alone", *used])), "each is loaded once"


THREADS = {"1,769 MB": (1769, 1, 1), "3,538 MB": (3538, 2, 1), "7,076 MB": (7076, 4, 1)}


@pytest.mark.parametrize(("memory_mb", "alone", "several"), THREADS.values(), ids=THREADS)
def test_a_lone_picture_has_all_cores(
    memory_mb: int, alone: int, several: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def load(_settings: Settings, threads_per_run: int) -> Pipeline:
        threads.append(threads_per_run)
        return fake_pipeline()

    monkeypatch.setattr("service.settings.os.sched_getaffinity", lambda _process: set(range(8)))
    monkeypatch.setattr("service.models.load_pipeline", load)
    models = make_models(replace(settings, memory_mb=memory_mb))
    models.pipeline()
    models.pipeline_for(10)

    assert threads == ([alone] if alone == several else [alone, several])


MODELS_USED: dict[str, tuple[str, int, float]] = {
    "one picture": ("/predict", 1, 0.9),
    "two pictures": ("/predict", 2, 0.7),
    "one picture, detector only": ("/object_detection", 1, 0.9),
    "two pictures, detector only": ("/object_detection", 2, 0.7),
}


@pytest.mark.parametrize(("path", "pictures", "confidence"), MODELS_USED.values(), ids=MODELS_USED)
def test_a_request_uses_the_models_for_its_pictures(
    path: str, pictures: int, confidence: float, settings: Settings
) -> None:
    alone, several = (fake_pipeline(fake_detector(((0, 0, 2, 4), s, 0))) for s in (0.9, 0.7))
    app = make_app(settings, Models(lambda: alone, lambda: several))
    answer = json.loads(handle(app, form_event(path, *[upload(plain())] * pictures), None)["body"])

    found = [each for predictions in answer for each in predictions]
    assert [each["confidence"] for each in found] == [confidence] * pictures
