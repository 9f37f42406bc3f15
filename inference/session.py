"""Model file -> onnxruntime session. No other module imports onnxruntime."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnxruntime

from inference.errors import ModelUnavailable
from inference.manifest import Manifest
from inference.types import Outputs, Tensor

_LENGTH = rb"(?:[\x00-\x7f]|[\x80-\xff][\x00-\x7f])"
EXTERNAL_DATA = re.compile(
    rb"\x6a" + _LENGTH + rb"\x0a\x08location\x12" + _LENGTH + rb"[^\x0a]", re.DOTALL
)
"""Marks a tensor whose values are in another file: an entry (length in one or two bytes) of
`TensorProto.external_data`, field 13, whose key, field 1, is "location", and whose value, field 2,
is a file name (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). The description of a tensor
that is itself named "location" continues with a message, which starts with 0x0a."""

CONSTANT_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
"""onnxruntime type -> numpy dtype of the inputs that a manifest can set to constants."""

SPIN_MICROSECONDS = "100"
"""Microseconds that a thread spins while it waits for work. Spinning between the operators of a
run saves a fifth of the time; with onnxruntime's longer default, threads still spin during the next
run and slow it down."""

LOG_ERRORS = 3
"""Log severity of onnxruntime: warnings about the export of a model would fill the log."""


@dataclass(frozen=True, slots=True)
class Session:
    """A loaded model.

    Attributes:
        runtime: Session of onnxruntime.
        input_name: Name of the image input.
        output_names: Names of the outputs in the model's order.
        constants: Values of the other inputs by name.
        batch: Number of images of each run, if the graph fixes it.
    """

    runtime: onnxruntime.InferenceSession
    input_name: str
    output_names: tuple[str, ...]
    constants: Mapping[str, Tensor] = field(default_factory=dict)
    batch: int = 1

    def run(self, tensor: Tensor) -> Outputs:
        """Run the model on one input tensor and return the outputs by name."""
        count = len(tensor)
        if count < self.batch:
            tensor = np.concatenate([tensor, np.repeat(tensor[-1:], self.batch - count, axis=0)])
        values = self.runtime.run(None, {self.input_name: tensor, **self.constants})
        if count < self.batch:
            values = [each[:count] if len(each) == self.batch else each for each in values]
        return dict(zip(self.output_names, values, strict=True))


def load_session(manifest: Manifest, threads: int = 1) -> Session:
    """Load a model file whose checksum matches the manifest.

    Args:
        manifest: Manifest of the model.
        threads: Threads per run, at most one per core.

    Raises:
        ModelUnavailable: The file is missing, has the wrong checksum, keeps weights in other
            files, or onnxruntime cannot load it.
    """
    model = _read_checked(manifest)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = LOG_ERRORS
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN_MICROSECONDS)
    try:
        runtime = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base class.
        raise ModelUnavailable(f"Model {manifest.name} does not load: {error}") from error
    names = [value.name for value in runtime.get_inputs()]
    if manifest.input.name is not None and manifest.input.name not in names:
        raise ModelUnavailable(
            f"Model {manifest.name} has no input {manifest.input.name!r}. Its inputs are {names}."
        )
    outputs = tuple(value.name for value in runtime.get_outputs())
    constants = _constants(manifest, runtime)
    name = manifest.input.name or names[0]
    first_axis = runtime.get_inputs()[names.index(name)].shape[0]
    batch = first_axis if isinstance(first_axis, int) else 1
    return Session(runtime, name, outputs, constants, batch)


def _read_checked(manifest: Manifest) -> bytes:
    """Read the model file and check that it is the whole model that the manifest describes."""
    try:
        model = manifest.file.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"Model {manifest.name}: {manifest.file} can't be read.") from error
    if (sha256 := hashlib.sha256(model).hexdigest()) != manifest.sha256:
        raise ModelUnavailable(
            f"Model {manifest.name}: {manifest.file.name} has sha256 {sha256}, "
            f"but its manifest has {manifest.sha256}."
        )
    # onnxruntime would look for such files in the working directory.
    if EXTERNAL_DATA.search(model):
        raise ModelUnavailable(
            f"Model {manifest.name} keeps weights in other files, which no checksum covers. "
            "Save it as one file: onnx.save_model(..., save_as_external_data=False)."
        )
    return model


def _constants(manifest: Manifest, runtime: onnxruntime.InferenceSession) -> dict[str, Tensor]:
    """Convert the manifest's constants to arrays for the model's inputs.

    Raises:
        ModelUnavailable: A constant has no matching input or is not an array.
    """
    inputs = {value.name: value for value in runtime.get_inputs()}
    constants: dict[str, Tensor] = {}
    for name, value in manifest.input.constants:
        if name not in inputs or inputs[name].type not in CONSTANT_TYPES:
            raise ModelUnavailable(
                f"Model {manifest.name} has no input {name!r} for a constant. "
                f"Its inputs are {list(inputs)}."
            )
        dtype = CONSTANT_TYPES[inputs[name].type]
        shape = [size if isinstance(size, int) else 1 for size in inputs[name].shape]
        is_single = isinstance(value, int | float)
        try:
            constants[name] = np.full(shape, value, dtype) if is_single else np.array(value, dtype)
        except ValueError as error:
            raise ModelUnavailable(
                f"Model {manifest.name}: input.constants.{name} has rows of different lengths."
            ) from error
    return constants
