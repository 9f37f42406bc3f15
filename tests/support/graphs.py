"""Tiny real ONNX files with the inputs and outputs of well-known models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.generic]
Axes = Sequence[int | str]
Inputs = dict[str, tuple[str, Axes]]
"""Type and axes of a tensor, by name."""

PICTURE: Inputs = {"images": ("float32", (1, 3, 64, 64))}


def fixed_onnx(
    outputs: Mapping[str, Array],
    inputs: Mapping[str, tuple[str, Axes]] = PICTURE,
    *,
    shapes: Mapping[str, Axes] | None = None,
    metadata: Mapping[str, str] | None = None,
    producer: str = "tests",
    batched: bool = False,
) -> bytes:
    """Return a model with constant outputs.

    Args:
        outputs: Values by name.
        inputs: dtype and shape by name; a text is an axis of any length.
        shapes: Declared shapes of outputs, if they differ from those of the values.
        metadata: Metadata of the model.
        producer: Name of the producer.
        batched: True to repeat the outputs for every picture of the first input.
    """
    first = next(iter(inputs))
    nodes = [helper.make_node("Identity", [f"{name}/value"], [name]) for name in outputs]
    constants: dict[str, Array] = {f"{name}/value": value for name, value in outputs.items()}
    if batched:
        constants["first"] = np.array([0])
        nodes = [
            helper.make_node("Shape", [first], ["shape"]),
            helper.make_node("Gather", ["shape", "first"], ["count"]),
        ]
        for name, value in outputs.items():
            constants[f"{name}/ones"] = np.ones(value.ndim - 1, np.int64)
            nodes += [
                helper.make_node("Concat", ["count", f"{name}/ones"], [f"{name}/by"], axis=0),
                helper.make_node("Tile", [f"{name}/value", f"{name}/by"], [name]),
            ]
    declared = {name: (shapes or {}).get(name, value.shape) for name, value in outputs.items()}
    graph = helper.make_graph(
        nodes,
        "fixed",
        [
            helper.make_tensor_value_info(name, _type(dtype), list(shape))
            for name, (dtype, shape) in inputs.items()
        ],
        [
            helper.make_tensor_value_info(name, _type(str(value.dtype)), list(declared[name]))
            for name, value in outputs.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return serialized(graph, metadata, producer)


def serialized(
    graph: onnx.GraphProto, metadata: Mapping[str, str] | None = None, producer: str = "tests"
) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    model.producer_name = producer
    helper.set_model_props(model, dict(metadata or {}))
    return bytes(model.SerializeToString())


def _type(dtype: str) -> int:
    if dtype == "float32":
        return TensorProto.FLOAT
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def cells(*strides: int, side: int = 64) -> int:
    """Return the number of cells of square grids."""
    return sum((side // stride) ** 2 for stride in strides)


def yolov5_rows(classes: int = 2, side: int = 64) -> NDArray[np.float32]:
    """Return YOLOv5's rows with one car in the middle, a quarter of the input's area."""
    rows = np.zeros((1, 3 * cells(8, 16, 32, side=side), 5 + classes), np.float32)
    rows[0, 7] = [side / 2, side / 2, side / 2, side / 2, 0.9, 1.0, *([0] * (classes - 1))]
    return rows


def yolov8_columns(classes: int = 2, side: int = 64) -> NDArray[np.float32]:
    """Return the same car in YOLOv8's columns."""
    columns = np.zeros((1, 4 + classes, cells(8, 16, 32, side=side)), np.float32)
    columns[0, :, 7] = [side / 2, side / 2, side / 2, side / 2, 0.9, *([0] * (classes - 1))]
    return columns


def detr_outputs(logit: float = 3.0) -> dict[str, Array]:
    """Return the same car as the second of three DETR queries, with a sigmoid of 0.9526."""
    logits = np.full((1, 3, 2), -9, np.float32)
    boxes = np.zeros((1, 3, 4), np.float32)
    logits[0, 1] = [logit, -9]
    boxes[0, 1] = [0.5, 0.5, 0.5, 0.5]
    return {"logits": logits, "pred_boxes": boxes}


def finished_rows(side: int = 64) -> NDArray[np.float32]:
    """Return the same car as a finished row, followed by an empty row."""
    quarter, three = side / 4, 3 * side / 4
    return np.array([[[quarter, quarter, three, three, 0.9, 0], [0] * 6]], np.float32)


def red_detector(side: int = 64) -> bytes:
    """Return a model with YOLOv8's outputs that finds a car only in red RGB pictures of 0..1.

    Its score is 1 - |red - blue - 1|, with the means of both channels.
    """
    base = yolov8_columns(side=side)
    is_score = np.zeros_like(base)
    base[0, 4, 7], is_score[0, 4, 7] = 0, 1
    return _of_means(
        {"weights": np.array([[1], [0], [-1]], np.float32), "is_score": is_score, "base": base},
        [
            helper.make_node("Sub", ["weighed", "one"], ["off"]),
            helper.make_node("Abs", ["off"], ["distance"]),
            helper.make_node("Sub", ["one", "distance"], ["closeness"]),
            helper.make_node("Relu", ["closeness"], ["score"]),
            helper.make_node("Mul", ["is_score", "score"], ["scores"]),
            helper.make_node("Add", ["base", "scores"], ["output0"]),
        ],
        ("output0", base.shape),
        side,
    )


def colour_classifier(side: int = 32) -> bytes:
    """Return a model with logits of red and blue, for RGB pictures of 0..1."""
    weights = np.array([[8, -8], [0, 0], [-8, 8]], np.float32)
    nodes = [helper.make_node("Identity", ["weighed"], ["logits"])]
    return _of_means({"weights": weights}, nodes, ("logits", (1, 2)), side)


def _of_means(
    initializers: Mapping[str, Array],
    nodes: Sequence[onnx.NodeProto],
    output: tuple[str, Axes],
    side: int,
) -> bytes:
    """Return a model of `weighed`, the weighted means of the channels, float32 [1, n]."""
    values = {"one": np.array(1, np.float32), **initializers}
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0),
            helper.make_node("MatMul", ["means", "weights"], ["weighed"]),
            *nodes,
        ],
        "of_means",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, list(output[1]))],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return serialized(graph)
