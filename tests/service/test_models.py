from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from inference.errors import ModelUnavailable
from inference.pipeline import Pipeline
from service.models import Models, load_pipeline
from service.settings import Settings
from tests.support.models import fake_pipeline, tiny_folder


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
