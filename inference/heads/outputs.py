"""Finding what a head decodes among a model's outputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.types import Outputs, Tensor


def pick(outputs: Outputs, name: str | None) -> Tensor:
    """The output of that name; None: the model's only one.

    Raises:
        KeyError: There is none of that name.
        ValueError: No name is given, and there are several.
    """
    if name is not None:
        return outputs[name]
    if len(outputs) != 1:
        raise ValueError(
            f"The model has the outputs {sorted(outputs)}: write the one with the boxes into the "
            "manifest's output.predictions."
        )
    (output,) = outputs.values()
    return output


def to_class_ids(values: NDArray[np.float32], class_count: int) -> NDArray[np.int64]:
    """Class numbers that a model gives as floats; what can be none becomes -1, which has no label.

    Args:
        values: float32 [n].
        class_count: Number of classes.
    """
    is_class = (values >= 0) & (values < class_count)
    return np.where(is_class, values, -1).astype(np.int64)
