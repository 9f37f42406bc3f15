"""Read inputs, outputs and metadata of an ONNX file.

The `onnx` package is a development dependency: these tools need it, the function does not.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from inference.onnx_file import has_external_data
from inference.session import constant_shape
from inference.types import Outputs, SizeWH, Tensor
from scripts.models.errors import ToolError
from scripts.models.graph_pixels import expected_range

LOG_NOTHING = 4
"""Log severity of onnxruntime: its exceptions have the same messages."""
DTYPES = {"float": "float32", "double": "float64"}
"""numpy's names of onnxruntime's types, where they differ."""
MAX_METADATA_CHARACTERS = 1 << 20
LOAD_HINTS = (
    (
        re.compile("TRT|TensorRT"),
        ". It has an operator of TensorRT: export it for onnxruntime, without that plugin",
    ),
    (
        re.compile("not a registered function/op|No Op registered|custom"),
        ". It has an operator that onnxruntime lacks: export it without that operator",
    ),
    (
        re.compile("Could not find an implementation"),
        ". onnxruntime lacks it for this type on a CPU: export the model in float32",
    ),
    (re.compile("IR version|opset", re.IGNORECASE), ". Export it for an older opset"),
)
"""Texts in onnxruntime's messages, and what to do."""
PREPROCESSOR_FILE = "preprocessor_config.json"
CONFIG_FILE = "config.json"


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output.

    Attributes:
        name: Name in the graph.
        shape: Sizes of the axes; None for a dynamic axis.
        dtype: numpy's name of the type.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name}  {self.dtype} [{sizes}]"


@dataclass(frozen=True, slots=True)
class Graph:
    """Inputs, outputs and metadata of a model.

    Attributes:
        inputs: Inputs in the model's order.
        outputs: Outputs in the model's order.
        producer: Program that wrote the file; "" if unknown.
        metadata: Custom metadata; Ultralytics writes class names there.
        runtime: onnxruntime's session.
        preprocessor: HuggingFace's `preprocessor_config.json` next to the file; {} if absent.
        config: HuggingFace's `config.json` next to the file; {} if absent.
        ranges: Range of values by input, if the graph itself normalises them.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    producer: str
    metadata: Mapping[str, str]
    runtime: onnxruntime.InferenceSession
    preprocessor: Mapping[str, Any]
    config: Mapping[str, Any]
    ranges: Mapping[str, str]

    def run(self, feeds: Mapping[str, Tensor]) -> Outputs:
        """Run the model and return its outputs by name.

        Raises:
            ToolError: onnxruntime fails.
        """
        try:
            values = self.runtime.run([port.name for port in self.outputs], dict(feeds))
        except Exception as error:  # onnxruntime's exceptions have no common base class.
            raise ToolError(f"the model fails: {first_line(error)}") from error
        return dict(zip([port.name for port in self.outputs], values, strict=True))


def read_graph(path: Path) -> Graph:
    """Load an ONNX file.

    Raises:
        ToolError: It is missing, onnxruntime cannot run it, or its weights are in other files.
    """
    model = _read_whole(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = LOG_NOTHING
    try:
        runtime = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base class.
        hint = next((text for pattern, text in LOAD_HINTS if pattern.search(str(error))), "")
        raise ToolError(f"onnxruntime cannot load {path}: {first_line(error)}{hint}") from error
    meta = runtime.get_modelmeta()
    _check_outputs(runtime, model)
    return Graph(
        inputs=tuple(_port(value) for value in runtime.get_inputs()),
        outputs=tuple(_port(value) for value in runtime.get_outputs()),
        producer=meta.producer_name,
        metadata=dict(meta.custom_metadata_map),
        runtime=runtime,
        preprocessor=_json_object(path.parent / PREPROCESSOR_FILE),
        config=_json_object(path.parent / CONFIG_FILE),
        ranges=_ranges(model, [value.name for value in runtime.get_inputs()]),
    )


def _ranges(model: bytes, names: Sequence[str]) -> dict[str, str]:
    parsed = onnx.load_model_from_string(model)
    found = {name: expected_range(parsed, name) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def _read_whole(path: Path) -> bytes:
    """Read a file and check that it holds all weights.

    Raises:
        ToolError: It is not readable, or its weights are in other files.
    """
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path} is not readable: {error.strerror}") from error
    try:
        is_external = has_external_data(model)
    except ValueError as error:
        raise ToolError(f"{path} is not an ONNX file: {error}") from error
    if is_external:
        raise ToolError(
            f"{path} keeps its weights in other files. Save it as one file: "
            'onnx.save_model(onnx.load("in.onnx"), "out.onnx", save_as_external_data=False)'
        )
    return model


def _check_outputs(runtime: onnxruntime.InferenceSession, model: bytes) -> None:
    """Check that every output is a tensor of numbers.

    Raises:
        ToolError: One is not; the message says how to export the model without it.
    """
    others = [
        f"{value.name} is a {value.type}"
        for value in runtime.get_outputs()
        if not _is_numeric(value)
    ]
    if others:
        raise ToolError(
            f"not every output is a tensor of numbers: {', '.join(others)}. Export without them "
            '(sklearn-onnx: options={"zipmap": False}), or keep only the tensor of probabilities: '
            'onnx.utils.extract_model("in.onnx", "out.onnx", [INPUT], [TENSOR]) with '
            f"{_tensor_before_zipmap(model)}"
        )


def _is_numeric(value: Any) -> bool:  # noqa: ANN401  onnxruntime's NodeArg has no type
    return bool(value.type.startswith("tensor(") and value.type != "tensor(string)")


def _tensor_before_zipmap(model: bytes) -> str:
    """Name the tensor that a ZipMap reads, if the model has one."""
    nodes = onnx.load_model_from_string(model).graph.node
    names = [node.input[0] for node in nodes if node.op_type == "ZipMap"]
    return f"TENSOR = {names[0]!r}" if names else "its name, as Netron shows it"


def _json_object(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def metadata_value(graph: Graph, key: str) -> Any:  # noqa: ANN401  whatever its maker wrote
    """Return a metadata value: parsed as JSON or Python literal, else as text; None if absent.

    Ultralytics writes `str()` of a dict; others write JSON.
    """
    text = graph.metadata.get(key)
    if text is None or len(text) > MAX_METADATA_CHARACTERS:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return text


def metadata_labels(graph: Graph) -> tuple[str, ...] | None:
    """Return the class names in the file's metadata, which Ultralytics writes as `names`."""
    names = metadata_value(graph, "names")
    if isinstance(names, dict) and {str(key) for key in names} == set(map(str, range(len(names)))):
        names = [name for _, name in sorted(names.items(), key=lambda item: int(item[0]))]
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return tuple(names)
    return None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return str(error).strip().partition("\n")[0][:300]


def blank_feeds(graph: Graph, picture: str, tensor: Tensor, size_wh: SizeWH) -> dict[str, Tensor]:
    """Return the inputs of a run: the picture, and zeros for all other inputs."""
    others = {
        port.name: np.zeros(constant_shape(port.shape, size_wh), port.dtype)
        for port in graph.inputs
        if port.name != picture
    }
    return {**others, picture: tensor}


def _port(value: Any) -> Port:  # noqa: ANN401  onnxruntime's NodeArg has no type
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) and size >= 0 else None for size in value.shape)
    return Port(value.name, shape, DTYPES.get(kind, kind))
