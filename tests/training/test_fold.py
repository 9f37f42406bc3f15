from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from training.fold import BUNDLED, WEIGHTS, fold


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_what_is_shipped_is_the_weights_without_what_is_constant() -> None:
    shipped = BUNDLED / "vehicle_detector" / "model.onnx"
    weights = WEIGHTS / "vehicle_detector.onnx"
    model = onnx.load(str(shipped))

    assert [(each.domain, each.version) for each in model.opset_import] == [
        ("", 17),
        ("com.microsoft", 1),
    ]
    assert not {node.op_type for node in model.graph.node} & {"Constant", "Cast"}
    assert len(model.graph.node) < len(onnx.load(str(weights)).graph.node)
    for shape in [(1, 3, 416, 416), (1, 3, 288, 416)]:
        tensor = np.random.default_rng(1).random(shape, dtype=np.float32)
        expected = session(weights).run(None, {"images": tensor})[0]
        found = session(shipped).run(None, {"images": tensor})[0]
        np.testing.assert_allclose(found, expected, atol=2e-4)


def test_the_detector_has_one_convolution_as_stem_and_a_cascade_of_pools() -> None:
    nodes = onnx.load(str(BUNDLED / "vehicle_detector" / "model.onnx")).graph.node
    pools = [node for node in nodes if node.op_type == "MaxPool"]

    assert nodes[0].op_type == "Conv"
    assert [list(each.ints) for each in nodes[0].attribute if each.name == "strides"] == [[2, 2]]
    assert [pool.input[0] for pool in pools[1:]] == [pool.output[0] for pool in pools[:-1]]


def test_a_model_that_only_onnxruntime_could_read_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("FastGelu", ["x"], ["y"], domain="com.microsoft")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    graph = helper.make_graph([node], "graph", values[:1], values[1:])
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save_model(helper.make_model(graph, opset_imports=sets, ir_version=8), tmp_path / "in")

    with pytest.raises(ValueError, match=r"com\.microsoft"):
        fold(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()
