"""A classifier's raw outputs -> probabilities -> the best classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.class_outputs import ClassOutput
from inference.types import Classification, Tensor

INT8_ZERO = 128


def to_probabilities(values: Tensor, output: ClassOutput) -> NDArray[np.float32]:
    """Convert the raw values of one output to probabilities.

    Args:
        values: float, uint8 or int8 [n, classes], with any further axes of 1. The smallest int8
            stands for 0, as TensorFlow Lite quantises probabilities.
        output: Labels, scale and activation of the output.

    Returns:
        float32 [n, classes], 0..1 if the manifest is right.

    Raises:
        ValueError: The number of classes differs from the number of labels.
    """
    rows = values.reshape(len(values), -1).astype(np.float32)
    if values.dtype == np.int8:
        rows += INT8_ZERO
    rows *= np.float32(output.scale)
    if rows.shape[1] != len(output.labels):
        raise ValueError(
            f"Output {output.name!r} has {rows.shape[1]} classes, but the manifest has "
            f"{len(output.labels)} labels for it."
        )
    if output.activation == "softmax":
        weights = np.exp(rows - rows.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))
    return rows


def weighted(probabilities: NDArray[np.float32], weights: Sequence[float]) -> NDArray[np.float32]:
    """Return the probabilities of one crop times one weight per class, with a sum of 1.

    This is Bayes' rule if a weight states how likely the detector's class is, given the label.
    Probabilities whose weighted sum is not positive are returned as they are.

    Args:
        probabilities: float32 [classes].
        weights: One weight per class, at least 0.
    """
    products = probabilities * np.asarray(weights, np.float32)
    total = products.sum()
    return np.asarray(products / total) if total > 0 else probabilities


def best_classes(
    probabilities: NDArray[np.float32], labels: Sequence[str], top: int
) -> Classification:
    """Return the `top` best classes of one crop, highest probability first, ties by label order.

    Args:
        probabilities: float32 [classes]; NaN counts as 0.
        labels: Class names by index.
        top: At least 1.
    """
    known = np.nan_to_num(probabilities, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    order = np.argsort(-known, kind="stable")[:top]
    return Classification(
        names=tuple(labels[position] for position in order),
        probabilities=tuple(float(known[position]) for position in order),
    )
