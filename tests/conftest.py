from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.support.handlers import Handler, make_handler
from tests.support.models import SHARED, fake_pipeline


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published models and photos, which is not part of the repository."""
    if not SHARED.is_dir():
        pytest.skip("../shared (published models, photos and corpora) is missing")
    return SHARED


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings.from_environment({})


@pytest.fixture
def handler(settings: Settings) -> Handler:
    """A handler whose model finds a car and a person in every picture."""
    return make_handler(settings, load=lambda _: fake_pipeline())


@pytest.fixture(scope="session")
def embedded_handler(settings: Settings) -> Any:
    """A handler with the embedded models."""
    return make_handler(settings)
