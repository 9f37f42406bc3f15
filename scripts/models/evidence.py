"""Decide whether one way of preprocessing is proven to be better than another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""One value per picture, crop or object; larger is better."""

FEW = 4.0
"""Further standard errors that a mean of few differences needs, divided by their number - 1."""
MIN_COUNT = 3
EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Evidence:
    """A difference between two ways of preprocessing, and its certainty.

    Attributes:
        ratio: How many times better; 1 if equal.
        errors: The difference in standard errors.
        min_ratio: Ratio that a proof needs, above 1.
        min_errors: Standard errors that a proof needs.
        measure: What the ratio is of, in words.
    """

    ratio: float
    errors: float
    min_ratio: float
    min_errors: float
    measure: str = ""

    @property
    def share(self) -> float:
        """Return the share of a proof that is reached: at least 1 if it is proven."""
        by_size = (self.ratio - 1) / (self.min_ratio - 1)
        return float(min(by_size, self.errors / self.min_errors))

    @property
    def is_proven(self) -> bool:
        """Return whether the difference is large enough and not by chance."""
        return self.share >= 1


NOTHING = Evidence(1.0, 0.0, 2.0, 1.0)
"""No evidence at all."""


def strongest(found: Iterable[Evidence]) -> Evidence:
    """Return the evidence that is nearest to a proof; of several proofs the largest ratio."""
    return max(
        found, key=lambda each: (each.is_proven, each.ratio if each.is_proven else each.share)
    )


def paired(
    differences: Scores, ratio: float, min_ratio: float, min_errors: float, measure: str
) -> Evidence:
    """Return the evidence of paired differences."""
    count = len(differences)
    if count < MIN_COUNT:
        return NOTHING
    needed = min_errors + FEW / (count - 1)
    return Evidence(ratio, standard_errors(differences), min_ratio, needed, measure)


def standard_errors(differences: Scores) -> float:
    """Return the mean of at least 2 differences in standard errors of the mean."""
    error = float(differences.std(ddof=1)) / np.sqrt(len(differences))
    return float(differences.mean() / max(error, EPSILON))
