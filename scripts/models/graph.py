"""Read inputs, outputs and metadata of an ONNX file.

The `onnx` package is a development dependency: these tools need it, the function does not.
"""

from __future__ import annotations

import ast
import json
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
from scripts.models.load_errors import first_line, load_error, other_format
from scripts.models.zipmap import class_names, without_zipmap

LOG_NOTHING = 4
"""Log severity of onnxruntime: its exceptions have the same messages."""
DTYPES = {"float": "float32", "double": "float64"}
"""numpy's names of onnxruntime's types, where they differ."""
MAX_METADATA_CHARACTERS = 1 << 20
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
        content: The file, without its ZipMaps.
        inputs: Inputs in the model's order.
        outputs: Tensors of numbers among the outputs, in the model's order.
        others: Other outputs, with their types.
        producer: Program that wrote the file; "" if unknown.
        metadata: Custom metadata; Ultralytics writes class names there.
        runtime: onnxruntime's session.
        preprocessor: HuggingFace's `preprocessor_config.json` next to the file; {} if absent.
        config: HuggingFace's `config.json` next to the file; {} if absent.
        ranges: Range of values by input, if the graph itself normalises them.
        class_names: Class names in its operators, or None.
    """

    content: bytes
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    others: tuple[str, ...]
    producer: str
    metadata: Mapping[str, str]
    runtime: onnxruntime.InferenceSession
    preprocessor: Mapping[str, Any]
    config: Mapping[str, Any]
    ranges: Mapping[str, str]
    class_names: tuple[str, ...] | None

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
    whole = _read_whole(path)
    model = without_zipmap(whole)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = LOG_NOTHING
    try:
        runtime = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base class.
        raise ToolError(f"onnxruntime cannot load {path}: {load_error(error)}") from error
    meta = runtime.get_modelmeta()
    parsed = onnx.load_model_from_string(model)
    outputs, others = _outputs(runtime)
    return Graph(
        content=model,
        inputs=tuple(_port(value) for value in runtime.get_inputs()),
        outputs=outputs,
        others=others,
        producer=meta.producer_name,
        metadata=dict(meta.custom_metadata_map),
        runtime=runtime,
        preprocessor=_json_object(path.parent / PREPROCESSOR_FILE),
        config=_json_object(path.parent / CONFIG_FILE),
        ranges=_ranges(parsed, [value.name for value in runtime.get_inputs()]),
        class_names=class_names(whole),
    )


def _ranges(model: onnx.ModelProto, names: Sequence[str]) -> dict[str, str]:
    found = {name: expected_range(model, name) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def _read_whole(path: Path) -> bytes:
    """Read a file and check that it holds all weights.

    Raises:
        ToolError: It is not readable or no ONNX file, or its weights are in other files.
    """
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path} is not readable: {error.strerror}") from error
    if found := other_format(model):
        raise ToolError(f"{path} is {found}")
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


def _outputs(runtime: onnxruntime.InferenceSession) -> tuple[tuple[Port, ...], tuple[str, ...]]:
    """Return the outputs that are tensors of numbers, and the names and types of the others.

    Raises:
        ToolError: No output is a tensor of numbers.
    """
    numeric = [value for value in runtime.get_outputs() if _is_numeric(value)]
    others = tuple(f"{v.name}  {v.type}" for v in runtime.get_outputs() if not _is_numeric(v))
    if not numeric:
        raise ToolError(
            f"no output is a tensor of numbers: {'; '.join(others)}. "
            "Export the tensor of probabilities"
        )
    return tuple(_port(value) for value in numeric), others


def _is_numeric(value: Any) -> bool:  # noqa: ANN401  onnxruntime's NodeArg has no type
    return bool(value.type.startswith("tensor(") and value.type != "tensor(string)")


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
    """Return the class names in the metadata (`names` of Ultralytics) or in an operator."""
    names = metadata_value(graph, "names")
    if isinstance(names, dict) and {str(key) for key in names} == set(map(str, range(len(names)))):
        names = [name for _, name in sorted(names.items(), key=lambda item: int(item[0]))]
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return tuple(names)
    return graph.class_names


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
