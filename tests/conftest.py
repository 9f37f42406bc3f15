from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.support.handlers import Handler, make_handler
from tests.support.models import SHARED, fake_pipeline


def pytest_configure() -> None:
    """Let tests interrupt processes, also where a background shell has SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_boto3_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test its own default session of boto3, which caches credentials."""
    if "boto3" in sys.modules:
        monkeypatch.setattr("boto3.DEFAULT_SESSION", None)


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
