"""The first operations of a graph on the picture show the range of pixels that it expects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from scripts.models.graph_pixels import BYTES, UNIT, expected_range

Step = tuple[str, float | None]

GRAPHS: dict[str, tuple[list[Step], str | None]] = {
    "nothing": ([("Relu", None)], None),
    "Keras' Rescaling": ([("Cast", None), ("Mul", 1 / 255)], BYTES),
    "a division by 255": ([("Transpose", None), ("Div", 255)], BYTES),
    "the mean of bytes": ([("Sub", 123.7), ("Div", 58.4)], BYTES),
    "ImageNet's mean": ([("Sub", 0.485), ("Div", 0.229)], UNIT),
    "from 0..1 to -1..1": ([("Mul", 2), ("Sub", 1)], UNIT),
    "a convolution first": ([("Relu", None), ("Mul", 1 / 255)], None),
}


def graph(steps: Sequence[Step]) -> onnx.ModelProto:
    nodes, values = [], []
    for position, (operator, constant) in enumerate(steps):
        inputs = [f"t{position}"]
        if constant is not None:
            inputs.append(f"c{position}")
            values.append(numpy_helper.from_array(np.array(constant, np.float32), inputs[1]))
        node = helper.make_node(operator, inputs, [f"t{position + 1}"])
        if operator == "Cast":
            node.attribute.append(helper.make_attribute("to", TensorProto.FLOAT))
        nodes.append(node)
    picture = helper.make_tensor_value_info("t0", TensorProto.FLOAT, [1, 3, 8, 8])
    last = helper.make_tensor_value_info(f"t{len(steps)}", TensorProto.FLOAT, None)
    return helper.make_model(helper.make_graph(nodes, "g", [picture], [last], values))


@pytest.mark.parametrize(("steps", "expected"), GRAPHS.values(), ids=GRAPHS)
def test_the_range(steps: list[Step], expected: str | None) -> None:
    assert expected_range(graph(steps), "t0") == expected


def test_red_and_blue_are_swapped_first() -> None:
    """Keras' preprocessing of Caffe's models takes the channels apart before it subtracts."""
    nodes = [
        helper.make_node("Slice", ["t0", f"start{n}", f"end{n}", "axis"], [f"channel{n}"])
        for n in range(3)
    ]
    nodes += [
        helper.make_node("Concat", ["channel2", "channel1", "channel0"], ["bgr"], axis=1),
        helper.make_node("Add", ["bgr", "mean"], ["out"]),
    ]
    values = {"axis": np.array([1]), "mean": np.array([-123.7], np.float32)}
    for n in range(3):
        values |= {f"start{n}": np.array([n]), f"end{n}": np.array([n + 1])}
    picture = helper.make_tensor_value_info("t0", TensorProto.FLOAT, [1, 3, 8, 8])
    last = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    constants = [numpy_helper.from_array(value, name) for name, value in values.items()]
    swapped = helper.make_model(helper.make_graph(nodes, "g", [picture], [last], constants))

    assert expected_range(swapped, "t0") == BYTES
