"""Choose the outputs of a classifier that have a number per class, and read them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from scripts.models.errors import ToolError
from scripts.models.probe import Output

SUM_TOLERANCE = 0.02
FEATURES = re.compile("feat|embed|hidden|pool|attention|vector", re.IGNORECASE)
"""Names of outputs that are no classes."""
MAP_AXES = 4


def class_outputs(
    outputs: Collection[Output],
    labels: Collection[str] | None,
    wanted: Collection[str],
    unsupported: str,
) -> tuple[list[Output], dict[str, str]]:
    """Return the outputs with a number per class, and why each of the others is left out.

    Args:
        outputs: All outputs.
        labels: Known class names, or None.
        wanted: Names of the outputs that the user has labels for; empty if there are no such.
        unsupported: Message for outputs of unknown kinds.

    Raises:
        ToolError: There is none, or an output belongs to no classifier.
    """
    chosen = [each for each in outputs if _is_row(each)]
    left_out: dict[str, str] = {}
    for each in outputs:
        if each not in chosen:
            if not chosen or not _is_extra(each):
                raise ToolError(_refusal(each) or unsupported)
            left_out[each.name] = "it has no number per class"
    left_out |= _not_meant(chosen, labels, wanted)
    return [each for each in chosen if each.name not in left_out], left_out


def _is_row(output: Output) -> bool:
    """Return whether the shape is [1, classes], with any further axes of 1."""
    shape = output.shape
    is_row = len(shape) > 1 and shape[0] == 1 and sum(size != 1 for size in shape) == 1
    is_label = np.issubdtype(output.gray.dtype, np.integer) and output.gray.dtype.itemsize > 1
    return is_row and not is_label


def _is_extra(output: Output) -> bool:
    """Return whether classifiers have such outputs: a label, a map, or features."""
    is_label = output.values.size == 2
    return is_label or len(output.shape) == MAP_AXES or bool(FEATURES.search(output.name))


def _not_meant(
    outputs: list[Output], labels: Collection[str] | None, wanted: Collection[str]
) -> dict[str, str]:
    """Return the outputs that are no classes, with reasons; never all of them."""
    if wanted:
        return {each.name: "no labels for it" for each in outputs if each.name not in wanted}
    if labels is not None:
        width = len(labels)
        other = [each for each in outputs if each.values.size != 2 * width]
        if other and len(other) < len(outputs):
            texts = {each.name: each.values.size // 2 for each in other}
            rest = [each for each in outputs if each not in other]
            left_out = {name: f"{n} values for {width} labels" for name, n in texts.items()}
            return {**left_out, **_not_meant(rest, None, wanted)}
    named = {each.name: "its name" for each in outputs if FEATURES.search(each.name)}
    if named and len(named) < len(outputs):
        return named
    sums = [each for each in outputs if _sums_to_one(each)]
    if sums and len(sums) < len(outputs):
        reason = f"its values do not sum to 1, as those of {sums[0].name} do"
        return {each.name: reason for each in outputs if each not in sums}
    return {}


def _sums_to_one(output: Output) -> bool:
    sums = output.values.reshape(2, -1).sum(axis=1)
    return output.are_probabilities and bool(np.all(np.abs(sums - 1) <= SUM_TOLERANCE))


def _refusal(output: Output) -> str | None:
    """Return why an output of a known kind is not supported."""
    shape = output.shape
    if output.values.size == 2:
        return (
            f"output {output.name} has one value. Export a classifier with a value per class, "
            "two for yes and no"
        )
    if len(shape) < 2:
        return f"output {output.name} has no batch axis. Export it as [batch, classes]"
    if len(shape) >= MAP_AXES:
        return (
            f"output {output.name} {list(shape)} is a grid or map of raw values. Export a detector "
            "with the decoding of its boxes, or a classifier with its last layers"
        )
    return None


def read_class_output(output: Output) -> tuple[Mapping[str, Any], str]:
    """Return an output's manifest entry and its reason, from its values in both runs."""
    entry: dict[str, Any] = {"name": output.name, "activation": "none"}
    if output.gray.dtype == np.uint8:
        return {**entry, "scale": 1 / 255}, "bytes are probabilities times 255"
    if output.gray.dtype == np.int8:
        return {**entry, "scale": 1 / 256}, "signed bytes are probabilities times 256, minus 128"
    sums = output.values.reshape(2, -1).sum(axis=1)
    shown = f"its values sum to {sums[0]:.2f}"
    if _sums_to_one(output):
        return entry, f"{shown}: probabilities"
    if output.are_probabilities:
        return entry, f"{shown}, all in 0..1: a sigmoid, several labels at a time"
    return {**entry, "activation": "softmax"}, f"{shown}: logits"
