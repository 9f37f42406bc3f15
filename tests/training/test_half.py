from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.half import merge_paddings

PADDING = [0, 0, 1, 2, 0, 0, 3, 4]
CONV = helper.make_node("Conv", ["padded", "weights"], ["y"], kernel_shape=[3, 3])
OWN_PADS = helper.make_node("Conv", ["padded", "weights"], ["y"], pads=[5, 6, 7, 8])


def pad_node(**attributes: str) -> onnx.NodeProto:
    return helper.make_node("Pad", ["x", "padding", "value"], ["padded"], **attributes)


def graph_of(
    nodes: Sequence[onnx.NodeProto],
    outputs: Sequence[str] = ("y",),
    padding: Sequence[int] = PADDING,
    value: float = 0,
) -> onnx.ModelProto:
    """Return a model of [1, 2, 9, 9] -> `outputs`, with weights of a 3x3 convolution."""
    weights = np.random.default_rng(1).normal(size=(2, 2, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 9, 9])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [
            numpy_helper.from_array(np.array(padding, np.int64), "padding"),
            numpy_helper.from_array(np.array(value, np.float32), "value"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answers(model: onnx.ModelProto) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = np.random.default_rng(2).normal(size=(1, 2, 9, 9)).astype(np.float32)
    return [np.asarray(each) for each in session.run(None, {"x": x})]


RELU = helper.make_node("Relu", ["padded"], ["z"])
MERGED: dict[str, tuple[list[onnx.NodeProto], list[str], list[str]]] = {
    "before a convolution": ([pad_node(), CONV], ["y"], ["Conv"]),
    "before a convolution with padding": ([pad_node(), OWN_PADS], ["y"], ["Conv"]),
    "also before another node": ([pad_node(), CONV, RELU], ["y", "z"], ["Pad", "Conv", "Relu"]),
    "also an output": ([pad_node(), CONV], ["y", "padded"], ["Pad", "Conv"]),
    "before no convolution": ([pad_node(mode="reflect"), RELU], ["z"], ["Pad", "Relu"]),
}


@pytest.mark.parametrize(("nodes", "outputs", "left"), MERGED.values(), ids=MERGED)
def test_merged_paddings_give_the_same_answers(
    nodes: list[onnx.NodeProto], outputs: list[str], left: list[str]
) -> None:
    model = graph_of(nodes, outputs)
    before = answers(model)
    merge_paddings(model)

    assert [node.op_type for node in model.graph.node] == left
    for now, then in zip(answers(model), before, strict=True):
        np.testing.assert_allclose(now, then, atol=1e-5)


SAME = helper.make_node("Conv", ["padded", "weights"], ["y"], auto_pad="SAME_UPPER")
REFUSED = {
    "mode": graph_of([pad_node(mode="reflect"), CONV]),
    "value": graph_of([pad_node(), CONV], value=1),
    "channels": graph_of([pad_node(), CONV], padding=[0, 1, 1, 1, 0, 1, 1, 1]),
    "negative": graph_of([pad_node(), CONV], padding=[0, 0, -1, 0, 0, 0, 0, 0]),
    "automatic padding": graph_of([pad_node(), SAME]),
}


@pytest.mark.parametrize("model", REFUSED.values(), ids=REFUSED)
def test_a_padding_that_a_convolution_cannot_do_is_refused(model: onnx.ModelProto) -> None:
    with pytest.raises(ValueError, match="padded"):
        merge_paddings(model)
