"""Model file -> onnxruntime session. No other module imports onnxruntime."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnxruntime

from inference.errors import ModelUnavailable
from inference.manifest import Manifest
from inference.onnx_file import has_external_data
from inference.types import Outputs, SizeWH, Tensor

CONSTANT_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}
"""onnxruntime type -> numpy dtype of the inputs that a manifest can set to constants."""

MASK_AXES = (3, 4)
"""Numbers of axes of a mask of pixels: batch, one channel or none, height, width."""
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
    if places := thread_places(threads):
        options.add_session_config_entry("session.intra_op_thread_affinities", places)
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


def thread_places(threads: int) -> str:
    """Return the core of each thread of a run but the caller's, as onnxruntime's option names them.

    The kernel often wakes a thread on the core of the thread that wakes it, so that both share one
    core: a run takes 10 instead of 7.4 ms. onnxruntime places its threads itself only if it also
    chooses their number.
    https://onnxruntime.ai/docs/performance/tune-performance/threading.html

    Args:
        threads: Threads per run, the caller included.

    Returns:
        Such as "2;3": cores are counted from 1. Empty for one thread, for fewer cores than threads,
        and on systems that do not list a process's cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ""
    cores = sorted(os.sched_getaffinity(0))
    return ";".join(str(core + 1) for core in cores[1:threads]) if len(cores) >= threads else ""


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
    try:
        is_external = has_external_data(model)
    except ValueError as error:
        raise ModelUnavailable(
            f"Model {manifest.name} does not load: it is not an ONNX file ({error})."
        ) from error
    # onnxruntime would look for such files in the working directory.
    if is_external:
        raise ModelUnavailable(
            f"Model {manifest.name} keeps weights in other files, which no checksum covers. "
            "Save it as one file: onnx.save_model(..., save_as_external_data=False)."
        )
    return model


def constant_shape(axes: Sequence[object], input_wh: SizeWH) -> list[int]:
    """Return the shape of an input that is the same for every picture.

    Dynamic axes have one element, but the last two of a mask have the input's size.

    Args:
        axes: onnxruntime's axes: an integer, or a name or None for a dynamic axis.
        input_wh: Width and height of the picture input.
    """
    dynamic = [1] * len(axes)
    if len(axes) in MASK_AXES:
        dynamic[-2:] = [input_wh[1], input_wh[0]]
    return [
        size if isinstance(size, int) else known for size, known in zip(axes, dynamic, strict=True)
    ]


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
        shape = constant_shape(inputs[name].shape, (manifest.input.width, manifest.input.height))
        is_single = isinstance(value, int | float)
        try:
            constants[name] = np.full(shape, value, dtype) if is_single else np.array(value, dtype)
        except ValueError as error:
            raise ModelUnavailable(
                f"Model {manifest.name}: input.constants.{name} has rows of different lengths."
            ) from error
    return constants
