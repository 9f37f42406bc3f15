"""Smaller and faster ONNX files of the same network: paddings merged, weights stored in float16.

onnxruntime widens the stored weights once, while it loads the model; nothing is computed in
float16.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256
"""Tensors of fewer numbers stay float32: sizes, biases and scales."""


def merge_paddings(model: onnx.ModelProto) -> None:
    """Add each Pad before a convolution to the convolution's `pads`, which cost nothing there.

    A Pad that also feeds something else stays.

    Raises:
        ValueError: A convolution cannot replace the Pad before it.
    """
    graph = model.graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    pads = {node.output[0]: node for node in graph.node if node.op_type == "Pad"}
    merged = {}
    for node in graph.node:
        pad = pads.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is not None:
            _add_pads(node, _spatial_pads(pad, stored))
            merged[pad.output[0]] = pad
            node.input[0] = pad.input[0]
    used = {name for node in graph.node for name in node.input}
    used |= {output.name for output in graph.output}
    for name, pad in merged.items():
        if name not in used:
            graph.node.remove(pad)
    used = {name for node in graph.node for name in node.input}
    kept_tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept_tensors)


def _spatial_pads(pad: onnx.NodeProto, stored: Mapping[str, np.ndarray]) -> list[int]:
    """Return top, left, bottom and right of a Pad of zeros."""
    amounts, *others = (stored.get(name) for name in pad.input[1:])
    value = others[0] if others else None
    is_zero = not any(pad.input[2:]) or (len(others) == 1 and value is not None and not value.any())
    is_constant = all(a.s == b"constant" for a in pad.attribute if a.name == "mode")
    if amounts is None or amounts.size != 8 or not is_zero or not is_constant:
        raise ValueError(f"The Pad {pad.output[0]} is no padding of images with zeros.")
    batch, channel, top, left, batch_end, channel_end, bottom, right = amounts.tolist()
    if any((batch, channel, batch_end, channel_end)) or min(top, left, bottom, right) < 0:
        raise ValueError(f"The Pad {pad.output[0]} changes more than the border of images.")
    return [top, left, bottom, right]


def _add_pads(conv: onnx.NodeProto, added: list[int]) -> None:
    attributes = {attribute.name: attribute for attribute in conv.attribute}
    if "auto_pad" in attributes and attributes["auto_pad"].s != b"NOTSET":
        raise ValueError(f"The convolution of {conv.input[0]} has automatic padding.")
    own = attributes.pop("pads").ints if "pads" in attributes else [0] * 4
    pads = [a + b for a, b in zip(own, added, strict=True)]
    del conv.attribute[:]
    conv.attribute.extend([*attributes.values(), helper.make_attribute("pads", pads)])


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
