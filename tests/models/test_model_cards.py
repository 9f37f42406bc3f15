"""The model cards say what was measured, and which file was used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.cards import filled

MODELS = Path(__file__).parents[2] / "models"


@pytest.mark.parametrize("name", ["vehicle_detector", "vehicle_attributes"])
def test_the_tables_are_the_metrics(name: str) -> None:
    folder = MODELS / name
    card = (folder / "MODEL_CARD.md").read_text()
    metrics = json.loads((folder / "metrics.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert "<!-- table" in card
    assert manifest["sha256"] in card
    assert filled(card, metrics, manifest) == card
