"""When requests come: patterns of a rate, and Poisson arrivals of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
"""Seconds, ascending where they are points in time."""

Pattern = Callable[[Times], Times]
"""Shares of the horizon, 0..1 -> the rate there, in any unit: only its shape counts."""

SPIKE_FACTOR = 100.0
SPIKE_BEGIN, SPIKE_END = 0.5, 0.51
GRID = 100_001


def steady(share: Times) -> Times:
    """The same rate all the time."""
    return np.ones_like(share)


def diurnal(share: Times) -> Times:
    """A day in the horizon: a fifth of the mean at night, nearly twice the mean at noon."""
    return 1.0 - 0.8 * np.cos(2 * np.pi * share)


def spike(share: Times) -> Times:
    """A hundred times the rate for a hundredth of the horizon, from one moment to the next."""
    inside = (share >= SPIKE_BEGIN) & (share < SPIKE_END)
    return np.where(inside, SPIKE_FACTOR, 1.0)


PATTERNS: dict[str, Pattern] = {"steady": steady, "diurnal": diurnal, "spike x100": spike}


def arrivals(
    pattern: Pattern, mean_rate: float, horizon: float, generator: np.random.Generator
) -> Times:
    """A Poisson process whose rate follows a pattern, by inverting its integral.

    Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning" (1979),
    section 1, has the method.

    Args:
        pattern: The rate's shape.
        mean_rate: Requests per second, on average over the horizon.
        horizon: Seconds.
        generator: Source of chance.
    """
    share = np.linspace(0.0, 1.0, GRID)
    rate = pattern(share)
    integral = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2)])
    count = int(generator.poisson(mean_rate * horizon))
    chosen = np.sort(generator.random(count)) * integral[-1]
    times: Times = np.interp(chosen, integral, share) * horizon
    return times
