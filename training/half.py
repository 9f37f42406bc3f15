"""Smaller and faster ONNX files of the same network: paddings merged, weights stored in float16.

onnxruntime widens the stored weights once, while it loads the model; nothing is computed in
float16.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256
"""Tensors of fewer numbers stay float32: sizes, biases and scales."""


def merge_paddings(model: onnx.ModelProto) -> None:
    """Move each Pad before a convolution into the convolution, which costs nothing there."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    pads = {node.output[0]: node for node in graph.node if node.op_type == "Pad"}
    for node in graph.node:
        pad = pads.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is None:
            continue
        _, _, top, left, _, _, bottom, right = numpy_helper.to_array(stored[pad.input[1]]).tolist()
        node.input[0] = pad.input[0]
        kept = [attribute for attribute in node.attribute if attribute.name != "pads"]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("pads", [top, left, bottom, right])])
    left_over = [node for node in graph.node if node.op_type != "Pad"]
    del graph.node[:]
    graph.node.extend(left_over)
    used = {name for node in graph.node for name in node.input}
    kept_tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept_tensors)


def store_half(model: onnx.ModelProto) -> None:
    """Store large weights as float16, each behind a Cast to float32."""
    graph, casts = model.graph, []
    for tensor in list(graph.initializer):
        value = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or value.size < SMALLEST:
            continue
        name = f"{tensor.name}_half"
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(value.astype(np.float16), name))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def shrink(path: Path) -> None:
    """Rewrite the folded model at `path` with merged paddings and float16 weights."""
    model = onnx.load(str(path))
    merge_paddings(model)
    store_half(model)
    onnx.checker.check_model(model)
    onnx.save_model(model, str(path))
