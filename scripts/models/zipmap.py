"""Remove scikit-learn's ZipMap, which turns a tensor of probabilities into a list of maps.

Such an output is no tensor. Converters of scikit-learn and of Core ML (Azure Custom Vision) add the
operator, and keep the class names in it.
"""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

OPERATOR = "ZipMap"
NAMES = "classlabels_strings"
"""Attribute with the class names."""


def without_zipmap(model: bytes) -> bytes:
    """Return a model that returns the tensors before its ZipMaps; the same if it has none."""
    if OPERATOR.encode() not in model:
        return model
    parsed = onnx.load_model_from_string(model)
    graph = parsed.graph
    maps = [node for node in graph.node if node.op_type == OPERATOR]
    tensors = {node.output[0]: node.input[0] for node in maps}
    for output in graph.output:
        if output.name in tensors:
            tensor = tensors[output.name]
            output.CopyFrom(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, None))
    for node in maps:
        graph.node.remove(node)
    return bytes(parsed.SerializeToString())


def class_names(model: bytes) -> tuple[str, ...] | None:
    """Return the class names in the operators of a converted classifier, or None."""
    if NAMES.encode() not in model:
        return None
    for node in onnx.load_model_from_string(model).graph.node:
        for attribute in node.attribute:
            if attribute.name == NAMES and len(attribute.strings) > 1:
                return tuple(name.decode("utf-8", "replace") for name in attribute.strings)
    return None
