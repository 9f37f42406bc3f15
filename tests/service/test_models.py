from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.errors import ModelUnavailable
from service.models import check_names, load_pipeline
from service.settings import Settings
from tests.support.models import fake_classifier, tiny_folder

OUTPUT = {"activation": "softmax", "labels": ["a", "b"]}


def outputs(*names: str) -> dict[str, Any]:
    return {"format": "classes", "outputs": [{"name": name, **OUTPUT} for name in names]}


def test_the_embedded_models_load(settings: Settings) -> None:
    pipeline = load_pipeline(settings)

    assert pipeline.detector.manifest.name == "vehicle_detector"
    assert [each.manifest.name for each in pipeline.classifiers] == ["vehicle_classifier"]
    assert (pipeline.min_area, pipeline.max_car_truck_iou) == (0.005, 0.9)


def test_several_classifiers_load_in_their_order(settings: Settings, tmp_path: Path) -> None:
    for name in ("make", "colour"):
        tiny_folder(tmp_path, name)
    changed = replace(settings, base_model_path=tmp_path, classification_models=("make", "colour"))

    assert [each.manifest.name for each in load_pipeline(changed).classifiers] == ["make", "colour"]


def test_no_classifier_is_fine(settings: Settings) -> None:
    assert load_pipeline(replace(settings, classification_models=())).classifiers == ()


def test_a_further_classifier_must_not_overwrite_a_field(
    settings: Settings, tmp_path: Path
) -> None:
    for name in ("make", "label"):
        tiny_folder(tmp_path, name)
    main_only = replace(settings, base_model_path=tmp_path, classification_models=("label",))
    second = replace(main_only, classification_models=("make", "label"))

    assert len(load_pipeline(main_only).classifiers) == 1
    with pytest.raises(ModelUnavailable, match=r"\['label'\] would overwrite a field"):
        load_pipeline(second)


COLLISIONS = {
    "the same model twice": ([], ("make", "make"), "make"),
    "a model called like an output": (["colour"], ("attributes", "colour"), "colour"),
    "a further model's output called like a field": (["label"], ("make", "attributes"), "label"),
    "the main model's output called like a field": (["x1"], ("attributes",), "x1"),
}


@pytest.mark.parametrize(("extra", "models", "name"), COLLISIONS.values(), ids=COLLISIONS)
def test_every_name_has_a_place_of_its_own(
    extra: list[str], models: tuple[str, ...], name: str
) -> None:
    classifiers = [
        fake_classifier(model, {"main": {"a": 1.0}, **{each: {"a": 1.0} for each in extra}})
        if model == "attributes"
        else fake_classifier(model, {"main": {"a": 1.0}})
        for model in models
    ]
    with pytest.raises(ModelUnavailable, match=rf"\['{name}'\] would overwrite"):
        check_names(classifiers)
