"""check has no objection to models that add accepts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scripts.models.__main__ import main
from tests.support.graphs import PICTURE, Array, Inputs, fixed_onnx

PROBS = np.array([[0.1, 0.7, 0.2]], np.float32)
FEATURES = np.linspace(0, 1, 64, dtype=np.float32)[np.newaxis]

CHECKED: dict[str, tuple[dict[str, Array], Inputs, tuple[str, ...]]] = {
    "bytes with a sign": (
        {"out": np.array([[-128, 51, -51]], np.int8)}, {"x": ("int8", (1, 64, 64, 3))}, (),
    ),
    "an unknown constant": (
        {"out": PROBS}, {**PICTURE, "prompt": ("float32", (1, 2))},
        ("--set", 'input.constants={"prompt": [[1, 2]]}'),
    ),
    "another threshold": (
        {"out": PROBS}, {**PICTURE, "iou_threshold": ("float32", (1,))},
        ("--set", 'input.constants={"iou_threshold": 0.3}'),
    ),
    "features": ({"out": PROBS, "features": FEATURES}, PICTURE, ()),
}  # fmt: skip


@pytest.mark.parametrize(("outputs", "inputs", "changes"), CHECKED.values(), ids=CHECKED)
def test_check_accepts_what_add_accepts(
    outputs: dict[str, Array], inputs: Inputs, changes: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "labels.txt").write_text("car\nbus\nvan\n")
    (tmp_path / "model.onnx").write_bytes(fixed_onnx(outputs, inputs))
    base = ["--models", str(tmp_path / "models")]
    assert main(["add", str(tmp_path / "model.onnx"), "--name", "mine", *base, *changes]) == 0
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "gray.png"), np.full((32, 32, 3), 90, np.uint8))
    arguments = [*base, "--out", str(tmp_path / "out")]

    assert main(["check", "mine", "--images", str(tmp_path / "pictures"), *arguments]) == 0
