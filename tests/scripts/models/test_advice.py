"""`check` gives no advice on correct manifests, and finds single wrong settings.

The published models answer photographs of COCO. Settings that hardly matter to a model, such as
where a letterbox is anchored, are not faults: the others are listed with what must be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.detection import Detector
from inference.manifest import Manifest, load_manifest
from scripts.models.advice import advise, neighbours
from scripts.models.check import advice_for
from scripts.models.evidence import NOTHING, Evidence
from scripts.models.folder import load_model
from scripts.models.judges import Judge, agreement_evidence, compared
from scripts.models.pictures import read_pictures
from scripts.models.truths import Truth, colour_of, colour_truths, folder_truths, vehicle_truths
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


def sets(truths: Sequence[Truth] | None) -> list[set[str]] | None:
    return None if truths is None else [set(each) for each in truths]


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
        "the same": ([1, 2, 1, 2], [1, 2, 1, 2], None),
        "too little": ([1, 2, 1, 2], [1.1, 2.2, 1.1, 2.2], None),
        "one picture decides": ([1, 1, 1, 1], [0.9, 0.9, 0.9, 8], None),
        "too few pictures": ([1, 1], [2, 2], None),
        "nothing before": ([0, 0, 0, 0], [1, 1, 1, 1], 1000.0),
    }.values(),
)
def test_a_proof_needs_most_pictures(
    before: list[float], after: list[float], ratio: float | None
) -> None:
    evidence = compared(np.array(before), np.array(after), 1.15, 2.5)
    assert (evidence.ratio if evidence.is_proven else None) == (ratio and pytest.approx(ratio))


@pytest.mark.parametrize(
    ("ratio", "errors", "share"),
    {
        "proven": (1.2, 8.0, 2.0),
        "sure but small": (1.05, 8.0, 0.5),
        "large but by chance": (3.0, 1.0, 0.25),
        "worse": (0.8, -4.0, -2.0),
    }.values(),
)
def test_the_weaker_half_of_the_evidence_counts(ratio: float, errors: float, share: float) -> None:
    evidence = Evidence(ratio, errors, min_ratio=1.1, min_errors=4.0)
    assert evidence.share == pytest.approx(share)
    assert evidence.is_proven == (share >= 1)


def test_the_largest_proof_is_advised() -> None:
    own = load_manifest(PROJECT / "models" / "vehicle_detector")

    class Likes(Judge):
        def evidence(self, own: Manifest, other: Manifest) -> Evidence:
            likes = {"RGB": 1.5, "BGR": 1.0}[other.input.color] * (other.input.scale or 1)
            before = {"RGB": 1.5, "BGR": 1.0}[own.input.color] * (own.input.scale or 1)
            return Evidence(likes / before, 9.0, 1.1, 4.0, "taste")

    found = advise(own, Likes())
    assert found is not None
    assert found.changes == (("color", "BGR", "RGB"),)
    assert (found.ratio, found.measure) == (1.5, "taste")


@pytest.mark.parametrize(
    ("errors", "best"),
    {"no difference": (0.0, 3.0), "better": (1.0, 2.0), "worse": (-1.0, 3.0)}.values(),
)
def test_the_largest_proof_meets_the_others(errors: float, best: float) -> None:
    own = load_manifest(PROJECT / "models" / "vehicle_detector")
    ratios = {(1 / 255, 0.0): 2.0, (1 / 127.5, 1.0): 3.0}

    class Compares(Judge):
        def evidence(self, own: Manifest, other: Manifest) -> Evidence:
            before = ratios.get((own.input.scale, own.input.mean[0]))
            after = ratios.get((other.input.scale, other.input.mean[0]))
            if after is None:
                return NOTHING
            if before is None:
                return Evidence(after, 9.0, 1.1, 4.0)
            return Evidence(1.01, errors if after == 2.0 else 0.0, 1.1, 4.0)

    found = advise(own, Compares())
    assert found is not None
    assert found.ratio == best


def test_without_a_proof_there_is_no_advice() -> None:
    class Never(Judge):
        def evidence(self, own: Manifest, other: Manifest) -> Evidence:
            return NOTHING

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
def test_agreement_of_a_classifier(
    before: list[float], after: list[float], is_better: bool
) -> None:
    assert agreement_evidence(np.array(before), np.array(after)).is_proven == is_better


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
    assert sets(vehicle_truths(names, labels)) == truths


@pytest.mark.parametrize(
    ("folders", "labels", "truths"),
    {
        "all": (["red", "blue"], ["blue", "red"], [{"red"}, {"blue"}]),
        "one folder is no label": ([*"ababc"], ["a", "b"], [{"a"}, {"b"}, {"a"}, {"b"}, set()]),
        "most are no labels": (["a", "b", "c"], ["a", "b"], None),
        "one folder": (["a", "a"], ["a", "b"], None),
    }.values(),
)
def test_folders_that_are_named_like_labels(
    folders: list[str], labels: list[str], truths: list[set[str]] | None
) -> None:
    assert sets(folder_truths(folders, labels)) == truths


@pytest.mark.parametrize(
    ("pixel", "colour"),
    {
        "red": ((200, 20, 20), "red"),
        "blue": ((20, 40, 200), "blue"),
        "yellow": ((230, 210, 20), "yellow"),
        "green": ((20, 200, 20), ""),
        "gray": ((120, 120, 120), ""),
        "too dark": ((40, 2, 2), ""),
    }.values(),
)
def test_colours_of_objects(pixel: tuple[int, int, int], colour: str) -> None:
    assert colour_of(np.full((40, 60, 3), pixel, np.uint8)) == colour


def test_colours_are_truths_of_labels_that_name_them() -> None:
    labels = ("black", "dark red", "blue", "bordeaux")
    truths = sets(colour_truths(["red", "", "blue"], labels))
    assert truths == [{"dark red", "bordeaux"}, set(), {"blue"}]
    assert colour_truths(["red"], ("renault", "peugeot")) is None


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_inputs_of_bytes_keep_their_normalisation(dtype: str) -> None:
    manifest = load_manifest(PROJECT / "models" / "vehicle_detector")
    spec = replace(manifest.input, dtype=dtype, mean=(128.0, 128.0, 128.0))

    tried = [each.input for _, each in neighbours(replace(manifest, input=spec))]
    assert {(each.scale, each.mean, each.std) for each in tried} == {
        (1.0, (128.0, 128.0, 128.0), (1.0, 1.0, 1.0))
    }
