"""A classifier's raw outputs -> probabilities -> the best classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.manifest import ClassOutput
from inference.types import Classification, Tensor


def to_probabilities(values: Tensor, output: ClassOutput) -> NDArray[np.float32]:
    """One output's raw values as probabilities.

    Args:
        values: [n, classes] with any axes of 1 behind, float or uint8.
        output: Its labels, scale and activation.

    Returns:
        float32 [n, classes], 0..1 for a model that is what its manifest says.

    Raises:
        ValueError: There are more or fewer classes than labels.
    """
    rows = values.reshape(len(values), -1).astype(np.float32) * np.float32(output.scale)
    if rows.shape[1] != len(output.labels):
        raise ValueError(
            f"Output {output.name!r} has {rows.shape[1]} classes, "
            f"the manifest has {len(output.labels)} labels for it."
        )
    if output.activation == "softmax":
        weights = np.exp(rows - rows.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))
    return rows


def best_classes(
    probabilities: NDArray[np.float32], labels: Sequence[str], top: int
) -> Classification:
    """The `top` best classes of one crop, best first; of equals the first label comes first.

    Args:
        probabilities: float32 [classes]; one that is not a number counts as 0.
        labels: Class names by position.
        top: At least 1.
    """
    known = np.nan_to_num(probabilities, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    order = np.argsort(-known, kind="stable")[:top]
    return Classification(
        names=tuple(labels[position] for position in order),
        probabilities=tuple(float(known[position]) for position in order),
    )
