"""Compute what does not depend on a model's input once: `python -m training.fold`.

PyTorch's exporter leaves hundreds of nodes that compute sizes and paddings from constants, and
onnxruntime computes them again at every start. Its optimizations replace them by their values
(https://onnxruntime.ai/docs/performance/model-optimizations/graph-optimizations.html). Two exact
rewrites follow, for which onnxruntime has no rule: the stem of YOLOX as one convolution, and the
max pools of its pyramid as a cascade.

The result is plain ONNX, or has the operators of `FUSED_OPERATORS` besides. A file of the last
level of optimization would be tied to one processor, and is never saved.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

BUNDLED = Path(__file__).resolve().parents[1] / "models"
WEIGHTS = Path(__file__).parent / "weights"
PLAIN_ONNX = ("", "ai.onnx")

FUSED_OPERATORS = frozenset({("com.microsoft", "QuickGelu")})
"""Operators of onnxruntime that a shipped file may have. QuickGelu is SiLU in one node: a detector
that has it loads in 14 ms instead of 20. Others gain little, and expand float16 weights."""

LEVELS = (
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
)
"""The first level whose operators are allowed is saved."""


def fold(source: Path, target: Path) -> None:
    """Write the folded version of a model.

    Raises:
        ValueError: The model has operators that are not allowed; `target` is left as it is.
    """
    with tempfile.TemporaryDirectory() as scratch:
        rewritten = Path(scratch) / "rewritten.onnx"
        model = _optimized(source, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC)
        merge_space_to_depth(model)
        cascade_max_pools(model)
        onnx.save_model(model, str(rewritten))
        for level in LEVELS:
            model = _optimized(rewritten, level)
            operators = {(node.domain, node.op_type) for node in model.graph.node}
            others = {each for each in operators if each[0] not in PLAIN_ONNX} - FUSED_OPERATORS
            if not others:
                break
    if others:
        raise ValueError(f"{source} has the operators {sorted(others)}")
    # onnxruntime lists every set of operators that it knows.
    used = {domain for domain, _ in operators}
    sets = [each for each in model.opset_import if each.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(sets)
    onnx.checker.check_model(model)
    onnx.save_model(model, str(target))


def merge_space_to_depth(model: onnx.ModelProto) -> None:
    """Merge a space-to-depth, the order of its channels and a 3x3 convolution, as in YOLOX's stem.

    The result is one 6x6 convolution with a stride of 2: each of its weights multiplies the pixel
    that it did before. Other models are left as they are.
    """
    graph = model.graph
    chain = list(graph.node[:3])
    if [node.op_type for node in chain] != ["SpaceToDepth", "Gather", "Conv"]:
        return
    split, order, convolution = chain
    constants = {each.name: each for each in graph.initializer}
    channels = numpy_helper.to_array(constants[order.input[1]])
    weights = numpy_helper.to_array(constants[convolution.input[1]])
    colors = len(channels) // 4
    merged = np.zeros((len(weights), colors, 6, 6), dtype=weights.dtype)
    for position, channel in enumerate(channels):
        pixel, color = divmod(int(channel), colors)
        row, column = divmod(pixel, 2)
        merged[:, color, row::2, column::2] = weights[:, position]
    constants[convolution.input[1]].CopyFrom(numpy_helper.from_array(merged, convolution.input[1]))
    convolution.input[0] = split.input[0]
    _set_integers(convolution, kernel_shape=[6, 6], strides=[2, 2], pads=[2, 2, 2, 2])
    graph.node.remove(split)
    graph.node.remove(order)
    graph.initializer.remove(constants[order.input[1]])


def cascade_max_pools(model: onnx.ModelProto) -> None:
    """Compute max pools of 5, 9 and 13 over one tensor as three of 5, each over the one before."""
    nodes = model.graph.node
    pools = [node for node in nodes if node.op_type == "MaxPool"]
    pools.sort(key=lambda node: _integers(node)["kernel_shape"])
    sizes = [_integers(node)["kernel_shape"] for node in pools]
    if sizes != [[5, 5], [9, 9], [13, 13]] or len({node.input[0] for node in pools}) > 1:
        return
    first = min(position for position, node in enumerate(nodes) if node.op_type == "MaxPool")
    for before, pool in itertools.pairwise(pools):
        pool.input[0] = before.output[0]
        _set_integers(pool, kernel_shape=[5, 5], pads=[2, 2, 2, 2])
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in pools]
    for node in pools:
        nodes.remove(node)
    for position, node in enumerate(copies, first):
        nodes.insert(position, node)


def _optimized(source: Path, level: Any) -> onnx.ModelProto:  # noqa: ANN401  an enumeration in C++
    """Return the model as onnxruntime saves it at a level of optimization."""
    with tempfile.TemporaryDirectory() as scratch:
        saved = str(Path(scratch) / "saved.onnx")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.optimized_model_filepath = saved
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
        return onnx.load(saved)


def _integers(node: onnx.NodeProto) -> dict[str, list[int]]:
    return {each.name: list(each.ints) for each in node.attribute}


def _set_integers(node: onnx.NodeProto, **values: list[int]) -> None:
    for each in node.attribute:
        if each.name in values:
            each.ints[:] = values[each.name]


def main() -> None:
    """Rebuild the shipped models from the committed weights."""
    argparse.ArgumentParser(prog="python -m training.fold", description=__doc__).parse_args()
    for source in sorted(WEIGHTS.glob("*.onnx")):
        target = BUNDLED / source.stem / "model.onnx"
        fold(source, target)
        path = target.parent / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["sha256"] = hashlib.sha256(target.read_bytes()).hexdigest()
        path.write_text(json.dumps(manifest, indent=2) + "\n")
        print(f"{target}: {target.stat().st_size} bytes, sha256 {manifest['sha256']}")


if __name__ == "__main__":
    main()
