"""The PyTorch networks answer as the ONNX files they come from and are exported to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in training/requirements.txt only")
onnxruntime = pytest.importorskip("onnxruntime")

from training import (  # noqa: E402  torch is optional
    attributes,
    export,
    mobilenet,
    mobilenetv3,
    names,
    yolox,
)
from training.loss import Wanted, detection_loss  # noqa: E402


def images(side: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.uniform(0, 255, (1, 3, side, side)).astype(np.float32)


def test_yolox_is_the_published_network(shared_models: Path) -> None:
    path = shared_models / "yolox_nano" / "yolox_nano.onnx"
    network = yolox.YoloxNano(classes=80)
    yolox.load_onnx(network, path)
    picture = images(416, 1)
    expected = onnxruntime.InferenceSession(str(path)).run(None, {"images": picture})[0]
    with torch.no_grad():
        answer = yolox.Exported(network)(torch.from_numpy(picture)).numpy()
    assert np.abs(answer - expected).max() < 1e-3


def test_exported_detector_answers_as_pytorch_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = yolox.YoloxNano().state_dict()
    assert export.export_detector(weights, tmp_path / "model.onnx") < export.AGREEMENT


@pytest.mark.parametrize(
    ("path", "labels"), [(names.MAKE_TEACHER, 397), (names.COLOUR_TEACHER, len(names.COLOURS))]
)
def test_mobilenetv3_is_the_published_network(path: Path, labels: int, shared_models: Path) -> None:
    picture = images(224, 2) / 127.5 - 1
    session = onnxruntime.InferenceSession(str(shared_models / path))
    with torch.no_grad():
        answer = mobilenetv3.read_weights(shared_models / path).eval()(torch.from_numpy(picture))
    expected = session.run(None, {"input": picture})[0]
    assert answer.shape == (1, labels)
    assert np.abs(answer.softmax(1).numpy() - expected).max() < 1e-4


def test_normalisation_can_be_unfolded_and_folded_again() -> None:
    torch.manual_seed(0)
    trunk = mobilenetv3.Trunk().eval()
    pictures = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        expected = trunk(pictures)
        mobilenetv3.unfold(trunk, pictures)
        unfolded = trunk(pictures)
        mobilenetv3.fold_norms(trunk)
        folded = trunk(pictures)
    assert torch.allclose(unfolded, expected, atol=1e-5)
    assert torch.allclose(folded, expected, atol=1e-5)


def test_exported_attributes_answer_as_pytorch_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = attributes.VehicleAttributes(20, len(names.COLOURS)).eval()
    path = tmp_path / "model.onnx"
    assert export.export_attributes(network, [3, 1, 7], path) < export.AGREEMENT
    answers = onnxruntime.InferenceSession(str(path)).run(None, {"images": images(224, 3) / 255})
    assert [answer.shape for answer in answers] == [(1, 4), (1, 7), (1, 14)]
    assert answers[0].sum() == pytest.approx(1)


def test_the_kind_teacher_answers_as_its_file_does() -> None:
    picture = images(128, 4) / 127.5 - 1
    file = onnxruntime.InferenceSession(str(mobilenet.KIND_TEACHER))
    teacher = mobilenet.read_teacher()
    # The file answers the mean of a crop's logits and its mirror image's.
    looks = [torch.from_numpy(np.ascontiguousarray(p)) for p in (picture, picture[..., ::-1])]
    answer = (teacher(looks[0])[0] + teacher(looks[1])[0]) / 2
    assert np.abs(answer.numpy() - file.run(None, {"images": picture})[0]).max() < 1e-3


def test_several_checkpoints_are_averaged(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 4.0)):
        torch.save({"w": torch.tensor([value, 2.0])}, tmp_path / name)
    assert export.mean_weights([tmp_path / "a", tmp_path / "b"])["w"].tolist() == [2.5, 2.0]


def wanted(boxes: list[list[float]], ignored: list[list[float]]) -> Wanted:
    kinds = torch.eye(7)[[2] * len(boxes)]
    return Wanted(
        torch.tensor(boxes).reshape(-1, 4),
        kinds,
        torch.ones(len(boxes)),
        torch.tensor(ignored).reshape(-1, 4),
    )


def raw_answer(objectness: float) -> tuple[Any, Any]:
    """A network that says everywhere: an object of 64 x 64 pixels, of class car."""
    grid = yolox.cell_grid(128, 128)
    raw = torch.zeros(1, len(grid), 12)
    raw[..., 2:4] = torch.log(64 / grid[:, 2:3])
    raw[..., 4] = objectness
    raw[..., 7] = 4.0
    return raw, grid


def test_loss_falls_when_the_objectness_is_right() -> None:
    empty = wanted([], [])
    loud, _ = detection_loss(*raw_answer(3.0), [empty])
    quiet, _ = detection_loss(*raw_answer(-3.0), [empty])
    assert quiet < loud


def test_ignored_regions_cost_nothing() -> None:
    raw, grid = raw_answer(3.0)
    everywhere = yolox.decode_boxes(raw, grid)[0].tolist()
    loss, parts = detection_loss(raw, grid, [wanted([], everywhere)])
    assert float(loss) == 0
    assert parts["object"] == 0


def test_an_object_gets_cells_that_learn_its_box() -> None:
    raw, grid = raw_answer(0.0)
    raw.requires_grad_()
    loss, parts = detection_loss(raw, grid, [wanted([[40.0, 40.0, 100.0, 104.0]], [])])
    loss.backward()
    assert parts["box"] > 0
    assert raw.grad is not None
    assert int((raw.grad[0, :, :4].abs().sum(1) > 0).sum()) >= 1
