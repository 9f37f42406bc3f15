"""Summary statistics of repeated measurements."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of one quantity, in milliseconds.

    Attributes:
        median: The p50.
        p99: By nearest rank; with fewer than a hundred values it is the largest.
        spread: Interquartile range as a share of the median.
        count: Number of values.
    """

    median: float
    p99: float
    spread: float
    count: int


def summarize(values: Sequence[float]) -> Summary:
    """Return median, p99 and spread.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    median = statistics.median(ordered)
    rank = -(-99 * len(ordered) // 100)
    spread = 0.0
    if len(ordered) > 1 and median:
        low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
        spread = (high - low) / median
    return Summary(median, ordered[rank - 1], spread, len(ordered))
