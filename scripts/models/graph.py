"""An ONNX file -> what goes in, what comes out, and what its maker wrote into it.

onnxruntime tells all of that, so the `onnx` package is not needed.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from inference.session import EXTERNAL_DATA, LOG_ERRORS
from inference.types import Outputs, Tensor
from scripts.models.errors import ToolError

DTYPES = {"float": "float32", "double": "float64"}
"""Of onnxruntime's names those that numpy has another name for."""
MAX_METADATA_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output.

    Attributes:
        name: Its name in the graph.
        shape: Sizes of the axes; None for one that may vary.
        dtype: numpy's name of it.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name}  {self.dtype} [{sizes}]"


@dataclass(frozen=True, slots=True)
class Graph:
    """A model's outside.

    Attributes:
        inputs: In the model's order.
        outputs: In the model's order.
        producer: The program that wrote the file, "" where it does not say.
        metadata: What the producer wrote beside the graph; Ultralytics puts class names there.
        runtime: onnxruntime's session.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    producer: str
    metadata: Mapping[str, str]
    runtime: onnxruntime.InferenceSession

    def run(self, feeds: Mapping[str, Tensor]) -> Outputs:
        """The outputs by name.

        Raises:
            ToolError: onnxruntime refuses.
        """
        try:
            values = self.runtime.run(None, dict(feeds))
        except Exception as error:  # onnxruntime's exceptions have no common base class.
            raise ToolError(f"the model does not run: {first_line(error)}") from error
        return dict(zip([port.name for port in self.outputs], values, strict=True))


def read_graph(path: Path) -> Graph:
    """Load an ONNX file.

    Raises:
        ToolError: It is missing, is no model that onnxruntime can run, or keeps weights elsewhere.
    """
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path} can't be read: {error.strerror}") from error
    if EXTERNAL_DATA.search(model):
        raise ToolError(
            f"{path} keeps its weights in other files. Save it as one file: "
            'onnx.save_model(onnx.load("in.onnx"), "out.onnx", save_as_external_data=False)'
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = LOG_ERRORS
    try:
        runtime = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base class.
        raise ToolError(f"onnxruntime can't load {path}: {first_line(error)}") from error
    meta = runtime.get_modelmeta()
    return Graph(
        inputs=tuple(_port(value) for value in runtime.get_inputs()),
        outputs=tuple(_port(value) for value in runtime.get_outputs()),
        producer=meta.producer_name,
        metadata=dict(meta.custom_metadata_map),
        runtime=runtime,
    )


def metadata_value(graph: Graph, key: str) -> Any:  # noqa: ANN401  whatever its maker wrote
    """A value of the metadata: Python's or JSON's notation read, other text as it is, or None.

    Ultralytics writes `str()` of a dict, others write JSON.
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
    """Class names that the file itself holds, as Ultralytics writes them under `names`."""
    names = metadata_value(graph, "names")
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        names = [names[i] for i in range(len(names))]
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return tuple(names)
    return None


def first_line(error: BaseException) -> str:
    """An error's message without the listing that may follow."""
    return str(error).strip().partition("\n")[0][:300]


def blank_feeds(graph: Graph, picture: str, tensor: Tensor) -> dict[str, Tensor]:
    """The picture, and zeros for every other input."""
    others = {
        port.name: np.zeros([size or 1 for size in port.shape], port.dtype)
        for port in graph.inputs
        if port.name != picture
    }
    return {**others, picture: tensor}


def _port(value: Any) -> Port:  # noqa: ANN401  onnxruntime's NodeArg has no type
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) and size >= 0 else None for size in value.shape)
    return Port(value.name, shape, DTYPES.get(kind, kind))
