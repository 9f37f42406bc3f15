"""Find out which range of pixels a graph expects, by its first operations on the picture."""

from __future__ import annotations

import onnx
from onnx import TensorProto, numpy_helper

PASSED = frozenset(
    (
        *("Cast", "Concat", "Gather", "Identity", "Reshape", "Resize", "Slice", "Squeeze"),
        *("Transpose", "Unsqueeze"),
    )
)
"""Operators that keep the range of values."""
CHANNEL_WISE = frozenset(("Gather", "Slice", "Split"))
ARITHMETIC = frozenset(("Add", "Div", "Mul", "Sub"))
MAX_STEPS = 8
BYTES = "0..255"
UNIT = "0..1"
MIN_BYTE_DIVISOR = 50
"""Divisors of bytes are 255, 127.5, or ImageNet's deviations, 57 to 58.4."""
MAX_UNIT_SHIFT = 2


def expected_range(model: onnx.ModelProto, picture: str) -> str | None:
    """Return `BYTES` or `UNIT` if the graph itself normalises the picture, else None.

    Args:
        model: The model.
        picture: Name of the picture input.
    """
    constants = _constants(model.graph)
    name = picture
    for _ in range(MAX_STEPS):
        users = [
            node for node in model.graph.node if name in node.input and node.op_type != "Shape"
        ]
        if users and all(node.op_type in CHANNEL_WISE for node in users):
            users = _joined(model.graph, users)
        if len(users) != 1:
            return None
        node = users[0]
        if node.op_type in ARITHMETIC:
            others = [constants[each] for each in node.input if each in constants]
            if len(others) != 1:
                return None
            if (found := _range_of(node.op_type, others[0])) is not None:
                return found
        elif node.op_type not in PASSED:
            return None
        name = node.output[0]
    return None


def _joined(graph: onnx.GraphProto, parts: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Return the operators that put channels together again, as a swap of red and blue does."""
    names = {name for node in parts for name in node.output}
    users = [node for node in graph.node if names & set(node.input)]
    return parts if len(parts) == 1 and users and users[0].op_type != "Concat" else users


def _range_of(operator: str, constant: float) -> str | None:
    """Return the range that one operation with a constant implies, if it does."""
    if operator in ("Mul", "Div"):
        divisor = constant if operator == "Div" else 1 / max(constant, 1e-9)
        return BYTES if divisor >= MIN_BYTE_DIVISOR else UNIT if divisor < 1 else None
    return BYTES if constant > MAX_UNIT_SHIFT else UNIT if constant > 0 else None


def _constants(graph: onnx.GraphProto) -> dict[str, float]:
    """Return the largest absolute value of every small constant."""
    tensors = {each.name: each for each in graph.initializer}
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                tensors[node.output[0]] = attribute.t
    return {
        name: float(abs(numpy_helper.to_array(tensor)).max())
        for name, tensor in tensors.items()
        if tensor.data_type != TensorProto.STRING
        and len(tensor.dims) <= 4
        and 0 < _size(tensor) <= 4
    }


def _size(tensor: onnx.TensorProto) -> int:
    size = 1
    for each in tensor.dims:
        size *= each
    return size
