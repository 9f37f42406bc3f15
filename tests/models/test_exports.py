"""Exports of real frameworks are added without flags, and give the boxes of an independent decode.

The frameworks are not installed here: EXPORTS is a folder of the files that `exports.py` writes.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.decoding.resolution import DecodedImage
from inference.detection import load_detector
from inference.manifest import load_manifest
from scripts.models.add import ModelOptions, add_model
from scripts.models.errors import ToolError
from scripts.models.folder import load_model
from tests.models.export_decodes import Array, decode
from tests.models.exported import EXPORTS, Classifier, Detector

PICTURE = Path(__file__).parents[2] / "samples" / "street.jpg"
FOLDER = os.environ.get("EXPORTS", "")
MIN_SCORE = 0.05
MOST_ROWS = 50
MAX_PIXELS_OFF = 3
"""The product interpolates in another way when it shrinks the picture."""
MAX_SCORE_OFF = 0.06
MIN_EQUAL = 0.6
"""Share of equal boxes: the scores of untrained models are nearly tied, so suppression may keep
another box of two."""

pytestmark = pytest.mark.slow


def names(count: int) -> list[str]:
    return ["car", *(f"class {number}" for number in range(1, count))]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(FOLDER) / f"{name}.onnx"
    if not FOLDER or not file.is_file():
        pytest.skip(f"EXPORTS has no {name}.onnx (tests/models/exports.py writes it)")
    expected = EXPORTS[name]
    labels = getattr(expected, "labels", "")
    if isinstance(expected, Classifier) or labels == "six":
        count = expected.classes if isinstance(expected, Classifier) else 6
        (tmp_path / "labels.txt").write_text("\n".join(names(count)))
        labels = str(tmp_path / "labels.txt")
    options = ModelOptions("mine", labels=(labels,) if labels else (), vehicles=())

    def ask(topic: str, question: str, default: str) -> str:
        if topic == "vehicles":
            return question.rpartition(" out of ")[2].split(", ")[0]
        return "none" if topic == "licence" else default or "coco80"

    if isinstance(expected, str):
        with pytest.raises(ToolError, match=expected):
            add_model(tmp_path / "models", file, options, ask)
        return
    folder, findings = add_model(tmp_path / "models", file, options, ask)
    if isinstance(expected, Classifier):
        [output] = next(each.value for each in findings if each.field == "output.outputs")
        assert output["activation"] == expected.activation
        load_model(folder)
        return
    share, compared = equal_boxes(folder, expected)
    with capsys.disabled():
        print(f"{name}: {share:.0%} of {compared} boxes")
    assert compared
    assert share >= MIN_EQUAL


def equal_boxes(folder: Path, expected: Detector) -> tuple[float, int]:
    """Return the share of boxes that both decodes find, and their number."""
    theirs = decode(
        folder / "model.onnx", PICTURE, expected.read,
        boxed=expected.boxed, imagenet=expected.imagenet, side=expected.side,
    )  # fmt: skip
    detector = load_detector(load_manifest(folder))
    with Image.open(PICTURE) as opened:
        pixels = np.asarray(opened.convert("RGB"))
        width, height = opened.size
    positions = {label: number for number, label in enumerate(detector.task.labels)}
    ours = [
        (*each.box_xyxy, each.confidence, positions[each.class_name])
        for each in detector.detect(DecodedImage.full_size(pixels), MIN_SCORE / 2)
    ]
    theirs[:, :4] = np.clip(theirs[:, :4], 0, [width, height, width, height])
    sizes = theirs[:, 2:4] - theirs[:, :2]
    theirs = theirs[(theirs[:, 4] >= MIN_SCORE) & (sizes > 0).all(axis=1)]
    theirs = theirs[:MOST_ROWS]
    found = [row for row in theirs if is_among(row, np.array(ours).reshape(-1, 6))]
    return len(found) / max(len(theirs), 1), len(theirs)


def is_among(row: Array, rows: Array) -> bool:
    off = np.abs(rows - row)
    near = (off[:, :4] <= MAX_PIXELS_OFF).all(axis=1) & (off[:, 4] <= MAX_SCORE_OFF)
    return bool((near & (off[:, 5] == 0)).any())
