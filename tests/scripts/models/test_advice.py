"""`check` gives no advice on correct manifests, and finds single wrong settings.

The published models answer photographs of COCO. Settings that hardly matter to a model, such as
where a letterbox is anchored, are not faults: the others are listed with what must be found.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.detection import Detector
from inference.manifest import load_manifest
from scripts.models.advice import (
    Judge,
    advise,
    agreement_margin,
    is_significant,
    neighbours,
    proven,
)
from scripts.models.check import advice_for, read_pictures
from scripts.models.folder import load_model
from scripts.models.truths import vehicle_truths
from tests.support.models import BUNDLED, PROJECT, PUBLISHED, SHARED, published_model


def advice(folder: Path, count: int, **changes: Any) -> dict[str, Any]:
    """Return the advised values by field, for a manifest with changes to its input."""
    model = load_model(folder)
    wrong = replace(model.manifest, input=replace(model.manifest.input, **changes))
    detector = load_model(PROJECT / "models" / "vehicle_detector")
    assert isinstance(detector, Detector)
    pictures, _ = read_pictures(SHARED / "data" / "coco128" / "images")
    found = advice_for(replace(model, manifest=wrong), detector, pictures[:count])
    return {name: better for name, _, better in found.changes} if found else {}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*PUBLISHED, *BUNDLED])
def test_a_correct_manifest_gets_no_advice(name: str, shared: Path, tmp_path: Path) -> None:
    folder = PROJECT / "models" / name if name in BUNDLED else published_model(name, tmp_path)

    assert advice(folder, 8 if name == "pvb_crossroad_0078" else 24) == {}


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "yolox_nano, colours": ("yolox_nano", {"color": "RGB"}),
    "yolox_nano, 0..1": ("yolox_nano", {"scale": 1 / 255}),
    "yolox_nano, -1..1": ("yolox_nano", {"scale": 1 / 127.5, "mean": (1.0, 1.0, 1.0)}),
    "squeezenet, 0..1": ("squeezenet", {"scale": 1 / 255, "mean": (0.0, 0.0, 0.0)}),
    "spectrico_brand, 0..255": ("spectrico_brand", {"scale": 1.0, "mean": (0.0, 0.0, 0.0)}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "changes"), FAULTS.values(), ids=FAULTS)
def test_a_wrong_setting_is_found(
    name: str, changes: dict[str, Any], shared: Path, tmp_path: Path
) -> None:
    folder = published_model(name, tmp_path)
    right = load_manifest(folder).input
    found = advice(folder, 24, **changes)

    assert set(found) & set(changes)
    if "color" in changes:
        assert found["color"] == right.color


@pytest.mark.parametrize(
    ("before", "after", "ratio"),
    {
        "all better": ([1, 2, 1, 2], [2, 4, 2, 4], 2.0),
        "the same": ([1, 2, 1, 2], [1, 2, 1, 2], 0.0),
        "too little": ([1, 2, 1, 2], [1.1, 2.2, 1.1, 2.2], 0.0),
        "one picture decides": ([1, 1, 1, 1], [0.9, 0.9, 0.9, 8], 0.0),
        "too few pictures": ([1, 1], [2, 2], 0.0),
        "nothing before": ([0, 0, 0, 0], [1, 1, 1, 1], 1000.0),
    }.values(),
)
def test_a_margin_needs_most_pictures(
    before: list[float], after: list[float], ratio: float
) -> None:
    assert proven(np.array(before), np.array(after), 1.15) == pytest.approx(ratio)
    assert not is_significant(np.zeros(8))


def test_without_a_margin_there_is_no_advice(tmp_path: Path) -> None:
    class Never(Judge):
        def margin(self, _own: object, _other: object) -> float:
            return 0.0

    assert advise(load_manifest(PROJECT / "models" / "vehicle_detector"), Never()) is None


@pytest.mark.parametrize(
    ("before", "after", "is_better"),
    {
        "constant answers": ([0.0, 0.01, 0.0], [0.5, -2, 0.6], True),
        "noise": ([-4, -5, -4, -6], [0.6, 0.4, 0.8, 0.6], True),
        "hardly better": ([0.5, 0.6, 0.4, 0.5], [0.55, 0.65, 0.45, 0.55], False),
        "the same": ([0.5, 0.6, 0.4, 0.5], [0.5, 0.6, 0.4, 0.5], False),
    }.values(),
)
def test_agreement_margins(before: list[float], after: list[float], is_better: bool) -> None:
    assert (agreement_margin(np.array(before), np.array(after)) > 1) == is_better


@pytest.mark.parametrize(
    ("names", "labels", "truths"),
    {
        "kinds": (["car", "bus"], ["minivan", "school bus", "dog"], [{"minivan"}, {"school bus"}]),
        "makes": (["car", "bus"], ["renault", "peugeot"], None),
        "only cars": (["car", "car"], ["sports car", "taxi"], None),
    }.values(),
)
def test_labels_that_match_vehicles(
    names: list[str], labels: list[str], truths: list[set[str]] | None
) -> None:
    assert vehicle_truths(names, labels) == truths


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_inputs_of_bytes_keep_their_normalisation(dtype: str) -> None:
    manifest = load_manifest(PROJECT / "models" / "vehicle_detector")
    spec = replace(manifest.input, dtype=dtype, mean=(128.0, 128.0, 128.0))

    tried = [each.input for _, each in neighbours(replace(manifest, input=spec))]
    assert {(each.scale, each.mean, each.std) for each in tried} == {
        (1.0, (128.0, 128.0, 128.0), (1.0, 1.0, 1.0))
    }
