"""Exports of TensorFlow, Keras, TFLite and scikit-learn are added without flags and answer rightly.

Boxes and probabilities are compared with the model's own outputs, decoded here. The frameworks are
not installed: EXPORTS is a folder of the files of `exports_tensorflow.py` and `exports_sklearn.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from inference.classification import Classifier
from inference.decoding.resolution import DecodedImage
from inference.detection import Detector
from scripts.models.__main__ import main
from scripts.models.folder import load_model

STREET = Path(__file__).parents[2] / "samples" / "street.jpg"
FOLDER = os.environ.get("EXPORTS", "")
CLASSES = ("car", "bus", "van", "truck", "person")
MIN_SCORE = 0.3
DYNAMIC_SIDES = {4: 640, 2: 224}
"""Sides of inputs of any size, by the number of axes of the first output."""

Array = NDArray[Any]
Prepare = Callable[[Array], Array]
"""uint8 RGB [height, width, 3] -> tensor without its batch axis."""
IMAGENET = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])

pytestmark = pytest.mark.slow


def as_bytes(image: Array) -> Array:
    return image


def signed(image: Array) -> Array:
    return np.asarray(image / 127.5 - 1, np.float32)


def signed_bytes(image: Array) -> Array:
    return (image.astype(np.int16) - 128).astype(np.int8)


def as_floats(image: Array) -> Array:
    return image.astype(np.float32)


def imagenet_first(image: Array) -> Array:
    normalised = (image / 255 - IMAGENET[0]) / IMAGENET[1]
    return np.asarray(normalised.transpose(2, 0, 1), np.float32)


@dataclass(frozen=True)
class Boxes:
    """A detector: its preparation, and its outputs of boxes, scores, classes and count.

    Attributes:
        prepare: Makes its input.
        names: Outputs, or the only one with automl's rows.
        first: Number of the first class.
    """

    prepare: Prepare
    names: tuple[str, ...]
    first: int = 0

    def read(self, outputs: Mapping[str, Array], side: int) -> Array:
        """Return rows of x1, y1, x2, y2, score, class."""
        if len(self.names) == 1:
            rows = outputs[self.names[0]][0]
            return np.column_stack([rows[:, [2, 1, 4, 3, 5]], rows[:, 6] - self.first])
        boxes, scores, classes, count = (outputs[name] for name in self.names)
        rows = np.column_stack(
            [boxes[0][:, [1, 0, 3, 2]] * side, scores[0], classes[0] - self.first]
        )
        return np.asarray(rows[: int(count[0])])


@dataclass(frozen=True)
class Probabilities:
    """A classifier: its preparation, its classes, the factor on its values, and a softmax."""

    prepare: Prepare
    classes: int
    scale: float = 1.0
    softmax: bool = False

    def read(self, values: Array) -> Array:
        """Return the probabilities."""
        row = values.reshape(-1).astype(np.float64)
        row = (row + 128 if values.dtype == np.int8 else row) * self.scale
        weights = np.exp(row - row.max())
        return weights / weights.sum() if self.softmax else row


API = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
EXPORTS: dict[str, Boxes | Probabilities | str] = {
    "tf_od_dynamic": Boxes(as_bytes, API, 1),
    "tf_od_fixed": Boxes(as_bytes, API, 1),
    "tf_suppression": Boxes(as_bytes, tuple(f"Identity{n}:0" for n in ("", "_1", "_2", "_3"))),
    "tf_automl": Boxes(as_bytes, ("detections",), 1),
    "tfl_model_maker": Boxes(signed, tuple(f"PartitionedCall:{n}" for n in (0, 2, 1, 3))),
    "tf_undecoded": "box_outputs",
    "tf_unsuppressed": "raw_detection_boxes",
    "k_softmax": Probabilities(signed, 4),
    "k_logits": Probabilities(signed, 4, softmax=True),
    "k_sigmoid": Probabilities(signed, 4),
    "k_binary": "one value",
    "k_rescale": Probabilities(as_floats, 3),
    "k_rescale_signed": Probabilities(as_floats, 4, softmax=True),
    "k_resize": Probabilities(as_floats, 4, softmax=True),
    "k_statistics": Probabilities(as_floats, 4),
    "k_augmented": Probabilities(as_floats, 4),
    "k_caffe": Probabilities(as_floats, 4),
    "k_features": Probabilities(signed, 4),
    "k_nchw": Probabilities(imagenet_first, 4),
    "k_phase": Probabilities(signed, 4),
    "k_mobilenetv2": Probabilities(signed, 6),
    "k_mobilenetv3": Probabilities(as_floats, 6),
    "k_efficientnet": Probabilities(as_floats, 6),
    "k_densenet": Probabilities(signed, 6),
    "tfl_float": Probabilities(signed, 4),
    "tfl_int8": Probabilities(signed_bytes, 4, 1 / 256),
    "tfl_uint8": Probabilities(as_bytes, 4, 1 / 255),
    "sk_logistic": Probabilities(imagenet_first, 3),
    "sk_logistic_zipmap": Probabilities(imagenet_first, 3),
    "sk_network": Probabilities(imagenet_first, 3),
    "sk_network_zipmap": Probabilities(imagenet_first, 3),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(FOLDER) / f"{name}.onnx"
    if not FOLDER or not file.is_file():
        pytest.skip(f"EXPORTS has no {name}.onnx (tests/models/exports_tensorflow.py writes it)")
    expected = EXPORTS[name]
    count = expected.classes if isinstance(expected, Probabilities) else len(CLASSES)
    labels = tmp_path / "labels"
    labels.write_text("\n".join([*CLASSES, "other"][:count]))
    arguments = ["add", str(file), "--name", "mine", "--models", str(tmp_path)]

    code = main([*arguments, "--labels", str(labels)])
    if isinstance(expected, str):
        assert (code, expected in capsys.readouterr().err) == (1, True)
        return
    assert code == 0
    model = load_model(tmp_path / "mine")
    if isinstance(expected, Boxes):
        assert isinstance(model, Detector)
        compare_boxes(model, expected)
    else:
        assert isinstance(model, Classifier)
        compare_probabilities(model, expected)


def run(model: Detector | Classifier, prepare: Prepare) -> tuple[dict[str, Array], Array, int]:
    """Return the outputs, the picture that gives them, and its side.

    The picture has the size of the input, so that no other interpolation counts.
    """
    session = onnxruntime.InferenceSession(model.manifest.file)
    port, *others = session.get_inputs()
    sides = [size for size in port.shape[1:] if isinstance(size, int) and size > len("RGB")]
    side = sides[0] if sides else DYNAMIC_SIDES[4 if isinstance(model, Detector) else 2]
    bgr = cv2.resize(np.asarray(cv2.imread(str(STREET)), np.uint8), (side, side))
    image = np.ascontiguousarray(bgr[:, :, ::-1])
    feeds = {
        port.name: prepare(image)[np.newaxis],
        **{each.name: np.array(False) for each in others},
    }
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds), strict=True)), image, side


def compare_boxes(model: Detector, expected: Boxes) -> None:
    outputs, image, side = run(model, expected.prepare)
    theirs = expected.read(outputs, side)
    theirs = theirs[theirs[:, 4] >= MIN_SCORE]
    theirs[:, :4] = np.clip(theirs[:, :4], 0, side)
    ours = np.array(
        [
            (*each.box_xyxy, each.confidence, CLASSES.index(each.class_name))
            for each in model.detect(DecodedImage.full_size(image), MIN_SCORE)
        ]
    )
    assert len(ours) == len(theirs) > 0
    for row in theirs:
        off = np.abs(ours - row)
        assert ((off[:, :4] <= 1).all(axis=1) & (off[:, 4] < 1e-3) & (off[:, 5] == 0)).any()


def compare_probabilities(model: Classifier, expected: Probabilities) -> None:
    outputs, image, _ = run(model, expected.prepare)
    [output] = model.task.outputs
    theirs = expected.read(outputs[output.name])
    found = model.classify([image], expected.classes)[0][output.name]
    ours = dict(zip(found.names, found.probabilities, strict=True))
    assert [ours[name] for name in output.labels] == pytest.approx(theirs.tolist(), abs=2e-3)
