"""Training has an environment of its own; without it its tests are skipped, saying so."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"


@pytest.fixture
def shared_models() -> Path:
    """The folder of the pretrained models, where it is present."""
    if not MODELS.is_dir():
        pytest.skip("../shared/models is absent: no pretrained weights to compare with")
    return MODELS


@pytest.fixture
def shared_data() -> Path:
    """The folder of the data sets, where it is present."""
    if not DATA.is_dir():
        pytest.skip("../shared/data is absent: no pictures to read")
    return DATA
