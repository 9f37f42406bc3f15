"""Patterns of request rates, and Poisson arrivals that follow them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
"""Seconds; ascending if they are points in time."""

Pattern = Callable[[Times], Times]
"""Returns the rate at positions 0..1 of the horizon, in any unit."""

SPIKE_FACTOR = 100.0
SPIKE_BEGIN, SPIKE_END = 0.5, 0.51
GRID = 100_001


def steady(share: Times) -> Times:
    """Return a constant rate."""
    return np.ones_like(share)


def diurnal(share: Times) -> Times:
    """Return the rate of a day: a fifth of the mean at night, nearly twice the mean at noon."""
    return 1.0 - 0.8 * np.cos(2 * np.pi * share)


def spike(share: Times) -> Times:
    """Return a rate that is a hundred times higher for a hundredth of the horizon."""
    inside = (share >= SPIKE_BEGIN) & (share < SPIKE_END)
    return np.where(inside, SPIKE_FACTOR, 1.0)


PATTERNS: dict[str, Pattern] = {"steady": steady, "diurnal": diurnal, "spike x100": spike}


def arrivals(
    pattern: Pattern, mean_rate: float, horizon: float, generator: np.random.Generator
) -> Times:
    """Generate a Poisson process whose rate follows a pattern, by inverting its integral.

    The method is in Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by
    thinning" (1979), section 1.

    Args:
        pattern: Shape of the rate.
        mean_rate: Mean requests per second over the horizon.
        horizon: Seconds.
        generator: Random number generator.
    """
    share = np.linspace(0.0, 1.0, GRID)
    rate = pattern(share)
    integral = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2)])
    count = int(generator.poisson(mean_rate * horizon))
    chosen = np.sort(generator.random(count)) * integral[-1]
    times: Times = np.interp(chosen, integral, share) * horizon
    return times
