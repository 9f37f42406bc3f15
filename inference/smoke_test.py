"""First runs of a loaded model: they check that its manifest describes it.

They take tensors, not images, and need no OpenCV: startup runs them while it imports OpenCV.
"""

from __future__ import annotations

import numpy as np

from inference.errors import ModelUnavailable
from inference.manifest import DetectionTask, InputSpec, Manifest
from inference.plausibility import MIN_SCORE, check_boxes
from inference.probabilities import to_probabilities
from inference.session import Session
from inference.types import Outputs, SizeWH


def smoke_test(manifest: Manifest, session: Session) -> None:
    """Run a model on zeros, so that a wrong manifest is found at startup.

    Args:
        manifest: Manifest of the model.
        session: The loaded model.

    Raises:
        ModelUnavailable: The model does not run, or its outputs do not match the manifest.
    """
    spec = manifest.input
    count = 2 if spec.batch and not isinstance(manifest.task, DetectionTask) else 1
    try:
        for width, height in _frames(spec):
            planes = (3, height, width) if spec.layout == "NCHW" else (height, width, 3)
            outputs = session.run(np.zeros((count, *planes), dtype=spec.dtype))
            _read(manifest, outputs, (width, height), count)
    except KeyError as error:
        raise ModelUnavailable(
            f"Model {manifest.name} does not fit its manifest: the model has no output "
            f"{error.args[0]!r}. Its outputs are {list(session.output_names)}."
        ) from error
    except Exception as error:  # A wrong manifest can cause nearly every built-in exception.
        raise ModelUnavailable(
            f"Model {manifest.name} does not fit its manifest: {type(error).__name__}: {error}"
        ) from error


def _frames(spec: InputSpec) -> set[SizeWH]:
    """Return the input sizes to try: small ones if the model is flexible, to save time."""
    if spec.multiple is None:
        return {(spec.width, spec.height)}
    return {(spec.width, spec.multiple), (spec.multiple, spec.height)}


def _read(manifest: Manifest, outputs: Outputs, input_wh: SizeWH, count: int) -> None:
    """Decode the outputs as production does.

    Raises:
        KeyError: The model lacks an output that the manifest names.
        ValueError: An output has the wrong shape.
    """
    if isinstance(manifest.task, DetectionTask):
        with np.errstate(over="ignore"):
            found = manifest.task.head.decode(outputs, input_wh, MIN_SCORE)
        check_boxes(found, input_wh)
        return
    for output in manifest.task.outputs:
        rows = len(to_probabilities(outputs[output.name], output))
        if rows != count:
            raise ValueError(f"Output {output.name!r} has {rows} rows for {count} pictures.")
