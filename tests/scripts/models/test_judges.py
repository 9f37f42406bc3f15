"""Supposed labels and few true boxes can contradict a better input, but not prove one alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.classification import Classifier
from inference.manifest import load_manifest
from scripts.models.agreement import Scores, label_scores
from scripts.models.evidence import Evidence
from scripts.models.judges import ClassifierJudge, TrueBoxJudge
from tests.support.models import PROJECT, fake_classifier, fake_detector

LABELS = ("car", "truck")
CARS = 18
TRUTHS = [frozenset({"car"})] * CARS + [frozenset({"truck"})] * 2
VIEWS = 3


def answers(car: float, truck: float) -> Scores:
    """Return the probabilities of the crops in all views, given those of car for either class."""
    noise = np.linspace(-0.01, 0.01, len(TRUTHS))
    cars = np.clip(np.array([car] * CARS + [truck] * 2) + noise, 0, 1)
    return np.stack([np.stack([cars, 1 - cars], axis=1)] * VIEWS)


@pytest.mark.parametrize(
    ("probability", "score"),
    {"sure": (1.0, 1.0), "half": (0.5, 0.707), "rarely": (0.04, 0.2), "never": (0.0, 0.0)}.values(),
)
def test_a_label_counts_by_the_root_of_its_probability(probability: float, score: float) -> None:
    views = np.array([[[probability, 1 - probability], [0.3, 0.7]]])
    found = label_scores(views, LABELS, [frozenset({"car"}), frozenset()])

    assert found.tolist() == [pytest.approx(score, abs=1e-3)]


JUDGED: dict[str, tuple[Scores, bool, bool]] = {
    "better": (answers(0.95, 0.05), False, True),
    "always car": (answers(1.0, 1.0), False, False),
    "better by the user's labels": (answers(0.95, 0.05), True, True),
    "saturated, by the user's labels": (answers(0.0, 0.0), True, False),
}


@pytest.mark.parametrize(("other", "is_labelled", "is_proven"), JUDGED.values(), ids=JUDGED)
def test_supposed_labels_need_views_that_agree(
    other: Scores, is_labelled: bool, is_proven: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = fake_classifier("right", {"kind": {"car": 0.5, "truck": 0.5}})
    changed = replace(classifier.manifest, input=replace(classifier.manifest.input, scale=255.0))

    def views(asked: Classifier, _crops: object) -> dict[str, Scores]:
        return {"kind": other if asked.manifest.input.scale == 255 else answers(0.7, 0.3)}

    monkeypatch.setattr("scripts.models.judges.classifier_views", views)
    crops_rgb = [np.zeros((2, 2, 3), np.uint8)] * len(TRUTHS)
    judge = ClassifierJudge(classifier, crops_rgb, {"kind": TRUTHS}, is_labelled)

    assert judge.evidence(classifier.manifest, changed).is_proven == is_proven


@pytest.mark.parametrize(
    ("before", "after", "is_proven"),
    {"worse": (0.5, 0.4, False), "far worse": (0.5, 0.0, False), "equal": (0.5, 0.5, True)}
    .values(),
)  # fmt: skip
def test_few_true_boxes_can_only_contradict(
    before: float, after: float, is_proven: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Agrees:
        def evidence(self, _own: object, _other: object) -> Evidence:
            return Evidence(100.0, 9.0, 1.1, 4.0)

    monkeypatch.setattr(
        "scripts.models.judges.precision_gain", lambda *_: (before, after, after - before)
    )
    manifest = load_manifest(PROJECT / "models" / "vehicle_detector")
    judge = TrueBoxJudge(fake_detector(), [], {}, Agrees(), can_prove=False)

    assert judge.evidence(manifest, manifest).is_proven == is_proven
