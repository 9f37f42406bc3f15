"""Detectors of TensorFlow: labels with a background, and boxes in pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.decoding.resolution import DecodedImage
from inference.detection import Detector
from scripts.models.__main__ import main
from scripts.models.folder import load_model
from scripts.models.graph import read_graph
from scripts.models.guess import guess
from tests.support.graphs import Array, fixed_onnx

TENSORFLOW: dict[str, Array] = {
    "boxes": np.array([[[0.25, 0.25, 0.75, 0.75]]], np.float32),
    "scores": np.array([[0.9]], np.float32),
    "count": np.array([1], np.float32),
}


@pytest.mark.parametrize(
    ("names", "class_id"),
    {
        "TensorFlow": (("detection_boxes", "detection_scores", "num_detections"), 2),
        "TFLite": (("PostProcess", "PostProcess:2", "PostProcess:3"), 1),
    }.values(),
    ids=("TensorFlow", "TFLite"),
)
@pytest.mark.parametrize("first", ["background", "???", None])
def test_a_background_among_the_labels(
    names: tuple[str, ...], class_id: int, first: str | None, tmp_path: Path
) -> None:
    outputs = dict(zip(names, TENSORFLOW.values(), strict=True))
    classes = "detection_classes" if "detection_boxes" in outputs else "PostProcess:1"
    boxes, *rest = outputs.items()
    class_ids = np.array([[class_id]], np.float32)
    model = fixed_onnx({boxes[0]: boxes[1], classes: class_ids, **dict(rest)})
    labels = [*([first] if first else []), "person", "car", "bus"]
    (tmp_path / "labels.txt").write_text("\n".join(labels))

    (tmp_path / "model.onnx").write_bytes(model)
    arguments = ["--name", "mine", "--models", str(tmp_path / "models")]

    assert main(["add", str(tmp_path / "model.onnx"), *arguments]) == 0
    detector = load_model(tmp_path / "models" / "mine")
    assert isinstance(detector, Detector)
    [found] = detector.detect(DecodedImage.full_size(np.zeros((64, 64, 3), np.uint8)), 0.5)
    assert found.class_name == "car"


def test_boxes_of_tensorflow_models_are_pixels(tmp_path: Path) -> None:
    """An untrained model finds nothing, so the output `image_info` decides."""
    lists = {f"detection_{name}": np.zeros((1, 9), np.float32) for name in ("scores", "classes")}
    outputs: dict[str, Array] = {
        "detection_boxes": np.zeros((1, 9, 4), np.float32), **lists,
        "num_detections": np.zeros(1, np.int32), "image_info": np.ones((1, 4, 2), np.float32),
    }  # fmt: skip

    (tmp_path / "model.onnx").write_bytes(fixed_onnx(outputs))

    assert guess(read_graph(tmp_path / "model.onnx")).value("output.normalized") is False
