from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from inference.errors import ModelUnavailable
from service.handler import Handler
from service.models import load_pipeline
from service.sessions import Sessions, load_models
from service.settings import Settings
from tests.support.models import tiny_folder


def own(settings: Settings, folder: Path) -> Settings:
    return replace(settings, base_model_path=folder, classification_models=("make",))


def test_the_detector_comes_first(settings: Settings, tmp_path: Path) -> None:
    tiny_folder(tmp_path, "make")
    models = load_models(own(settings, tmp_path))

    assert [each.manifest.name for each in models] == ["vehicle_detector", "make"]


def test_what_failed_at_the_start_is_tried_again_with_the_next_request(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    health = {"httpMethod": "GET", "path": "/health"}
    changed = own(settings, tmp_path)
    handler = Handler(changed, load=partial(load_pipeline, sessions=Sessions(changed)))
    first = handler(health, None)
    tiny_folder(tmp_path, "make")

    assert "could not be loaded at start" in caplog.text
    assert first["statusCode"] == 503
    assert handler(health, None)["statusCode"] == 200


def test_whatever_fails_in_the_thread_is_told_to_who_waits(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("service.sessions.load_session", lambda *_, **__: 1 / 0)
        sessions = Sessions(settings)
        with pytest.raises(ZeroDivisionError):
            sessions.take()

    assert [each.manifest.name for each in sessions.take()] == [
        "vehicle_detector",
        "vehicle_classifier",
    ]


def test_a_model_that_is_missing_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="make"):
        Sessions(own(settings, tmp_path)).take()
