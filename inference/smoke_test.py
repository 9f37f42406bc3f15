"""A loaded model's first runs, which show whether it is what its manifest says.

They take a tensor and not a picture, and so need no OpenCV: a start tries the models while it still
imports that.
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
    """Run a model on nothing, so that a wrong manifest shows at the start.

    Args:
        manifest: The model's.
        session: The model.

    Raises:
        ModelUnavailable: It does not run, or its outputs are not the manifest's.
    """
    spec = manifest.input
    count = 2 if spec.batch and not isinstance(manifest.task, DetectionTask) else 1
    try:
        for width, height in _frames(spec):
            planes = (3, height, width) if spec.layout == "NCHW" else (height, width, 3)
            outputs = session.run(np.zeros((count, *planes), dtype=spec.dtype))
            _read(manifest, outputs, (width, height), count)
    except Exception as error:  # A wrong manifest can lead to nearly every built-in exception.
        raise ModelUnavailable(
            f"Model {manifest.name} does not fit its manifest: {type(error).__name__}: {error}"
        ) from error


def _frames(spec: InputSpec) -> set[SizeWH]:
    """Sizes to try: of a model that takes any, small ones, which cost next to nothing."""
    if spec.multiple is None:
        return {(spec.width, spec.height)}
    return {(spec.width, spec.multiple), (spec.multiple, spec.height)}


def _read(manifest: Manifest, outputs: Outputs, input_wh: SizeWH, count: int) -> None:
    """Make of the outputs what will be made of them.

    Raises:
        KeyError: One that the manifest names is not there.
        ValueError: One has another shape.
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
