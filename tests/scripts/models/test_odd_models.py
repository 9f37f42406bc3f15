"""Models with outputs, inputs or versions that need a special reading, or a special message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from inference.classification import Classifier
from scripts.models.__main__ import main
from scripts.models.errors import ToolError
from scripts.models.folder import load_model
from scripts.models.graph import read_graph
from scripts.models.guess import Guess, guess
from tests.support.graphs import PICTURE, Array, Inputs, fixed_onnx

GRAY = [np.full((32, 32, 3), 90, np.uint8)]
PROBS = np.array([[0.1, 0.7, 0.2]], np.float32)
LOGITS = np.array([[3, 1, -2]], np.float32)
FEATURES = np.linspace(0, 1, 64, dtype=np.float32)[np.newaxis]


def guessed(tmp_path: Path, model: bytes, labels: tuple[str, ...] | None = None) -> Guess:
    (tmp_path / "model.onnx").write_bytes(model)
    return guess(read_graph(tmp_path / "model.onnx"), known_labels=labels)


def added(tmp_path: Path, model: bytes, *arguments: str) -> int:
    (tmp_path / "model.onnx").write_bytes(model)
    file, base = str(tmp_path / "model.onnx"), str(tmp_path / "models")
    return main(["add", file, "--name", "mine", "--models", base, *arguments])


EXTRA_OUTPUTS: dict[str, tuple[dict[str, Array], str]] = {
    "a label, as scikit-learn has": (
        {"label": np.array([1]), "probabilities": PROBS}, "probabilities",
    ),
    "features of another width": ({"out": LOGITS, "second": FEATURES}, "out"),
    "features by their name": ({"features": LOGITS[:, ::-1].copy(), "logits": LOGITS}, "logits"),
    "a map of features": ({"out": LOGITS, "maps": np.zeros((1, 8, 7, 7), np.float32)}, "out"),
    "hidden states": (
        {"last_hidden_state": np.zeros((1, 9, 8), np.float32), "logits": LOGITS}, "logits",
    ),
    "logits and their softmax": ({"raw": LOGITS, "probs": PROBS}, "probs"),
    "four axes": ({"out": PROBS.reshape(1, 3, 1, 1)}, "out"),
    "five axes": ({"out": PROBS.reshape(1, 1, 3, 1, 1)}, "out"),
}  # fmt: skip


@pytest.mark.parametrize(("outputs", "used"), EXTRA_OUTPUTS.values(), ids=EXTRA_OUTPUTS)
def test_outputs_without_classes_are_left_out(
    outputs: dict[str, Array], used: str, tmp_path: Path
) -> None:
    (tmp_path / "labels.txt").write_text("car\nbus\nvan\n")

    assert added(tmp_path, fixed_onnx(outputs)) == 0
    model = load_model(tmp_path / "models" / "mine")
    assert isinstance(model, Classifier)
    assert [each.name for each in model.task.outputs] == [used]
    found = model.classify(GRAY, 1)[0][used]
    assert found.names[0] == ("car" if outputs[used] is LOGITS else "bus")
    assert found.probabilities[0] == pytest.approx(0.8756 if outputs[used] is LOGITS else 0.7)


def test_features_are_named_without_labels(tmp_path: Path) -> None:
    found = guessed(tmp_path, fixed_onnx({"out": PROBS, "second": FEATURES}))

    assert found.classes == {"out": 3}
    [reason] = [each.reason for each in found.findings if each.field == "output.outputs"]
    assert "second" in reason


def test_two_outputs_of_four_axes_are_no_grids(tmp_path: Path) -> None:
    colour = np.array([[0.4, 0.6]], np.float32)
    found = guessed(
        tmp_path, fixed_onnx({"kind": PROBS.reshape(1, 3, 1, 1), "colour": colour[..., None, None]})
    )

    assert (found.problems, found.classes) == ((), {"kind": 3, "colour": 2})


def test_labels_of_an_output_choose_it(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("a\nb\n")
    model = fixed_onnx({"kind": PROBS, "colour": np.array([[0.4, 0.6]], np.float32)})

    assert added(tmp_path, model, "--labels", f"colour={tmp_path / 'names'}") == 0
    classifier = load_model(tmp_path / "models" / "mine")
    assert isinstance(classifier, Classifier)
    assert [each.name for each in classifier.task.outputs] == ["colour"]


def zipmap_onnx(*, first: bool, probabilities: bool = True) -> bytes:
    """Return a classifier that ends like Azure Custom Vision's and scikit-learn's."""
    label = helper.make_tensor_value_info("classLabel", TensorProto.STRING, [1])
    kind = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.STRING, kind))
    loss = helper.make_value_info("loss", maps)
    nodes = [helper.make_node("Identity", ["name"], ["classLabel"])]
    if probabilities:
        nodes += [
            helper.make_node("Identity", ["values"], ["prob"]),
            helper.make_node(
                "ZipMap", ["prob"], ["loss"], domain="ai.onnx.ml",
                classlabels_strings=["car", "bus", "van"],
            ),
        ]  # fmt: skip
    outputs = [loss, label] if first else [label, loss]
    graph = helper.make_graph(
        nodes, "zipmap",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 64, 64])],
        outputs if probabilities else [label],
        [
            numpy_helper.from_array(PROBS, "values"),
            numpy_helper.from_array(np.array(["bus"], object), "name"),
        ],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 2)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("first", [True, False])
def test_a_zipmap_is_removed_and_gives_the_labels(first: bool, tmp_path: Path) -> None:
    assert added(tmp_path, zipmap_onnx(first=first)) == 0
    model = load_model(tmp_path / "models" / "mine")
    assert isinstance(model, Classifier)
    assert model.manifest.input.color == "BGR"
    found = model.classify(GRAY, 2)[0]["prob"]
    assert found.names == ("bus", "van")
    assert found.probabilities == pytest.approx((0.7, 0.2))


def test_a_model_of_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(zipmap_onnx(first=False, probabilities=False))
    with pytest.raises(ToolError, match="classLabel"):
        read_graph(tmp_path / "model.onnx")


SIZES = [[48, 64]]
EXTRA_INPUTS: dict[str, tuple[str, tuple[int | str, ...], Any]] = {
    "orig_target_sizes": ("int64", ("n", 2), [[64, 48]]),
    "orig_size": ("int64", (2,), [48, 64]),
    "target_sizes": ("float32", (1, 2), SIZES),
    "im_shape": ("float32", (1, 2), SIZES),
    "im_size": ("int32", (1, 2), SIZES),
    "im_info": ("float32", (1, 3), [[48, 64, 1]]),
    "scale_factor": ("float32", ("n", 2), [[1, 1]]),
    "pixel_mask": ("int64", ("n", "h", "w"), 1),
    "mask": ("bool", (1, 48, 64), 0),
    "a/mask": ("float32", ("n", 1, "h", "w"), 1),
    "key_padding_mask": ("bool", (1, 9), 0),
    "bn/keras_learning_phase:0": ("bool", (), 0),
    "phase_train": ("bool", (), 0),
    "keep_prob": ("float32", (), 1),
    "dropout_rate": ("float32", (), 0),
    "iou_threshold": ("float32", (1,), 0.5),
    "score_threshold": ("float32", (1,), 0.05),
    "max_output_boxes_per_class": ("int64", (1,), 100),
    "batch_size": ("int64", (), 1),
}


@pytest.mark.parametrize("name", EXTRA_INPUTS)
def test_extra_inputs_get_constants(name: str, tmp_path: Path) -> None:
    dtype, axes, value = EXTRA_INPUTS[name]
    inputs: Inputs = {name: (dtype, axes), "images": ("float32", (1, 3, 48, 64))}
    (tmp_path / "labels.txt").write_text("car\nbus\nvan\n")

    assert added(tmp_path, fixed_onnx({"out": PROBS}, inputs)) == 0
    model = load_model(tmp_path / "models" / "mine")
    [(found, constant)] = model.manifest.input.constants
    assert (found, np.array(constant).tolist()) == (name, value)
    assert isinstance(model, Classifier)
    assert model.classify(GRAY, 1)[0]["out"].names == ("bus",)


def versions_onnx(opset: int = 13, ir: int = 8, domain: str = "") -> bytes:
    model = onnx.load_from_string(fixed_onnx({"out": PROBS}))
    model.ir_version = ir
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, opset))
    else:
        model.opset_import[0].version = opset
    return bytes(model.SerializeToString())


def operator_onnx(name: str, domain: str = "") -> bytes:
    """Return a model with an operator that onnxruntime lacks."""
    graph = helper.make_graph(
        [helper.make_node(name, ["images"], ["out"], domain=domain)], "operator",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3])],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 13), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return bytes(model.SerializeToString())


NOT_LOADED = {
    "IR": (versions_onnx(ir=99), ("99", "ir_version")),
    "opset": (versions_onnx(opset=99), ("99", "opset", "ai.onnx")),
    "opset of machine learning": (versions_onnx(opset=99, domain="ai.onnx.ml"), ("ai.onnx.ml",)),
    "EfficientNMS": (operator_onnx("EfficientNMS_TRT", "TRT"), ("EfficientNMS_TRT", "TensorRT")),
    "EfficientNMS, no domain": (operator_onnx("EfficientNMS_TRT"), ("EfficientNMS_TRT",)),
    "TFLite": (operator_onnx("TFLite_Detection_PostProcess"), ("tf2onnx",)),
    "another operator": (operator_onnx("DeformConvPlugin"), ("DeformConvPlugin",)),
}


@pytest.mark.parametrize(("model", "parts"), NOT_LOADED.values(), ids=NOT_LOADED)
def test_models_that_do_not_load(model: bytes, parts: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(model)
    with pytest.raises(ToolError) as caught:
        read_graph(tmp_path / "model.onnx")

    assert [part for part in parts if part not in str(caught.value)] == []
    assert "onnxruntime_src" not in str(caught.value)


def offsets(columns: int) -> Array:
    values = np.random.default_rng(0).normal(size=(1, 300, columns))
    return values.astype(np.float32)


def shares(columns: int) -> Array:
    return np.random.default_rng(0).random((1, 300, columns), dtype=np.float32)


UNDECODED: dict[str, tuple[dict[str, Array], str]] = {
    "EfficientDet's network": ({"box_outputs": offsets(4), "class_outputs": offsets(5)}, "box_out"),
    "offsets and probabilities": ({"boxes": offsets(4), "scores": shares(3)}, "boxes"),
    "with anchors": (
        {"regression": shares(4), "classification": shares(3), "anchors": shares(4)}, "regression",
    ),
    "TensorFlow before suppression": (
        {"raw_detection_boxes": shares(4), "raw_detection_scores": shares(3)},
        "raw_detection_boxes",
    ),
    "a level each": (
        {"class_0": offsets(9).reshape(1, 9, 15, 20), "box_0": np.zeros((1, 4, 15, 20))}, "class_0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("outputs", "name"), UNDECODED.values(), ids=UNDECODED)
def test_undecoded_boxes_are_refused(outputs: dict[str, Array], name: str, tmp_path: Path) -> None:
    [problem] = guessed(tmp_path, fixed_onnx(outputs, PICTURE)).problems

    assert f"output {name}" in problem
    assert "Export" in problem


PIXELS: dict[str, tuple[dict[str, str], tuple[str, float, Any]]] = {
    "bytes": (
        {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "NominalRange_0_255"},
        ("BGR", 1.0, (0, 0, 0)),
    ),
    "0..1": (
        {"Image.BitmapPixelFormat": "Rgb8", "Image.NominalPixelRange": "Normalized_0_1"},
        ("RGB", 1 / 255, (0, 0, 0)),
    ),
}


@pytest.mark.parametrize(("metadata", "expected"), PIXELS.values(), ids=PIXELS)
def test_metadata_of_pixels_counts_first(
    metadata: dict[str, str], expected: tuple[str, float, Any], tmp_path: Path
) -> None:
    (tmp_path / "labels.txt").write_text("car\nbus\nvan\n")

    assert added(tmp_path, fixed_onnx({"out": PROBS}, metadata=metadata)) == 0
    spec = load_model(tmp_path / "models" / "mine").manifest.input
    assert (spec.color, spec.scale, spec.mean) == expected


def test_each_of_several_outputs_needs_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fixed_onnx({"make": PROBS, "colour": np.array([[0.4, 0.6]], np.float32)})

    assert added(tmp_path, model) == 1
    assert "--labels make=FILE" in capsys.readouterr().err


NO_MODELS: dict[str, tuple[bytes, str]] = {
    "PyTorch": (b"PK\x03\x04\x00\x00archive/data.pkl", "PyTorch"),
    "an old file of PyTorch": (b"\x80\x02\x8a\x0al\xfc", "PyTorch"),
    "Keras": (b"\x89HDF\r\n\x1a\n", "Keras"),
    "TensorFlow Lite": (b"\x1c\x00\x00\x00TFL3", "tf2onnx"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "a web page": (b"<!DOCTYPE html><html>Not found</html>", "web page"),
    "empty": (b"", "empty"),
    "a photograph": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "no ONNX file"),
    "a part": (fixed_onnx({"out": LOGITS})[:-9], "no ONNX file"),
}


@pytest.mark.parametrize(("content", "part"), NO_MODELS.values(), ids=NO_MODELS)
def test_other_files_are_named(content: bytes, part: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as raised:
        guessed(tmp_path, content)
    assert part in str(raised.value)


def test_a_model_that_returns_no_numbers_is_refused(tmp_path: Path) -> None:
    found = guessed(tmp_path, fixed_onnx({"out": np.full((1, 3), np.nan, np.float32)}))
    assert "NaN" in found.problems[0]
