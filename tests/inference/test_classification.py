from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.class_outputs import ClassOutput
from inference.classification import load_classifier
from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from inference.probabilities import best_classes, to_probabilities
from inference.types import Classification, Tensor
from tests.support.models import FixedRuntime, fake_classifier, tiny_folder, tiny_manifest
from tests.support.pictures import blank


def class_output(**changes: Any) -> ClassOutput:
    fields = {"name": "p", "labels": ("a", "b"), "activation": "none", "scale": 1.0}
    return ClassOutput(**{**fields, **changes})


PROBABILITIES: dict[str, tuple[Any, ClassOutput, list[list[float]]]] = {
    "probabilities": (np.array([[0.25, 0.75]], np.float32), class_output(), [[0.25, 0.75]]),
    "logits": (
        np.array([[0, np.log(3)]], np.float32),
        class_output(activation="softmax"),
        [[0.25, 0.75]],
    ),
    "large logits": (
        np.array([[1000, 0]], np.float32),
        class_output(activation="softmax"),
        [[1.0, 0.0]],
    ),
    "bytes": (np.array([[0, 255]], np.uint8), class_output(scale=1 / 255), [[0.0, 1.0]]),
    "half precision": (np.array([[0.25, 0.75]], np.float16), class_output(), [[0.25, 0.75]]),
    "axes of 1 behind": (
        np.array([[[[0.25]], [[0.75]]]], np.float32),
        class_output(),
        [[0.25, 0.75]],
    ),
    "several crops": (
        np.array([[1, 0], [0, 1]], np.float32),
        class_output(),
        [[1.0, 0.0], [0.0, 1.0]],
    ),
}


@pytest.mark.parametrize(
    ("values", "output", "expected"), PROBABILITIES.values(), ids=PROBABILITIES
)
def test_probabilities(values: Any, output: ClassOutput, expected: list[list[float]]) -> None:
    probabilities = to_probabilities(values, output)

    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="has 3 classes, but the manifest has 2 labels"):
        to_probabilities(np.zeros((1, 3), np.float32), class_output())


BEST = {
    "best first": ([0.1, 0.7, 0.2], 3, ("b", "c", "a"), (0.7, 0.2, 0.1)),
    "only the best": ([0.1, 0.7, 0.2], 1, ("b",), (0.7,)),
    "no more than there are": ([0.1, 0.7, 0.2], 20, ("b", "c", "a"), (0.7, 0.2, 0.1)),
    "equals in their order": ([0.5, 0.5, 0.0], 2, ("a", "b"), (0.5, 0.5)),
    "no number": ([float("nan"), 0.7, 0.2], 3, ("b", "c", "a"), (0.7, 0.2, 0.0)),
    "beyond 0..1": ([-0.5, 1.5, 0.2], 3, ("b", "c", "a"), (1.0, 0.2, 0.0)),
}


@pytest.mark.parametrize(("values", "top", "names", "probabilities"), BEST.values(), ids=BEST)
def test_best_classes(
    values: list[float], top: int, names: tuple[str, ...], probabilities: tuple[float, ...]
) -> None:
    found = best_classes(np.array(values, np.float32), ("a", "b", "c"), top)

    assert found.names == names
    assert found.probabilities == pytest.approx(probabilities)


def test_crops_and_outputs_keep_their_order() -> None:
    classifier = fake_classifier(
        "attributes", {"type": {"car": 0.75, "van": 0.25}, "color": {"red": 1.0}}
    )
    crops = classifier.classify([blank(3, 3), blank(50, 20)], top=1)

    assert (
        crops
        == [{"type": Classification(("car",), (0.75,)), "color": Classification(("red",), (1.0,))}]
        * 2
    )
    assert list(crops[0]) == ["type", "color"]


def test_many_crops_are_run_in_batches_of_eight() -> None:
    sizes = []

    class Counting(FixedRuntime):
        def run(self, names: None, feeds: Mapping[str, Tensor]) -> list[Tensor]:
            sizes.append(len(feeds["input"]))
            return super().run(names, feeds)

    whole = fake_classifier("c", {"p": {"a": 1.0}})
    runtime = Counting([np.ones((1, 1), np.float32)])
    classifier = replace(whole, session=replace(whole.session, runtime=runtime))

    assert len(classifier.classify([blank(2, 2)] * 20, top=1)) == 20
    assert sizes == [8, 8, 4]


def test_crops_whose_frames_differ_are_run_one_by_one() -> None:
    whole = fake_classifier("c", {"p": {"a": 1.0}})
    spec = replace(whole.manifest.input, batch=True, resize="letterbox", multiple=1)
    classifier = replace(whole, manifest=replace(whole.manifest, input=spec))

    assert len(classifier.classify([blank(4, 2), blank(2, 4)], top=1)) == 2


def test_no_crops() -> None:
    assert fake_classifier("c", {"p": {"a": 1.0}}).classify([], top=5) == []


def test_a_model_that_takes_one_crop_at_a_time(tmp_path: Path) -> None:
    classifier = load_classifier(load_manifest(tiny_folder(tmp_path)))
    crops = classifier.classify([blank(2, 2, 255), blank(9, 9)], top=5)

    assert crops == [{"scores": Classification(("a", "b"), (0.5, 0.5))}] * 2


def test_a_detector_is_no_classifier(tmp_path: Path) -> None:
    folder = tiny_folder(
        tmp_path,
        task="detection",
        labels=["car"],
        vehicles=["car"],
        output={"format": "yolox", "strides": [8]},
    )
    with pytest.raises(ModelUnavailable, match="is not a classifier: its task is detection"):
        load_classifier(load_manifest(folder))


OUTPUT = {"name": "scores", "activation": "softmax", "labels": ["a", "b"]}
MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "labels": (
        {"output": {"format": "classes", "outputs": [{**OUTPUT, "labels": ["a"]}]}},
        "2 classes, but the manifest has 1 labels",
    ),
    "output": (
        {"output": {"format": "classes", "outputs": [{**OUTPUT, "name": "other"}]}},
        r"has no output 'other'\. Its outputs are \['scores'\]",
    ),
    "size": ({"input": {**tiny_manifest("tiny", b"")["input"], "width": 3}}, "InvalidArgument"),
    "batch": ({"input": {**tiny_manifest("tiny", b"")["input"], "batch": True}}, "InvalidArgument"),
}


@pytest.mark.parametrize(("changes", "message"), MISFITS.values(), ids=MISFITS)
def test_a_manifest_that_does_not_fit_fails_when_it_is_loaded(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = tiny_folder(tmp_path, **changes)
    with pytest.raises(ModelUnavailable, match=f"does not fit its manifest: .*{message}"):
        load_classifier(load_manifest(folder))
