"""Numbers of rounds: `make bench` gives an overview, `make bench-full` a p99."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Numbers of rounds by measurement.

    Attributes:
        name: Name of the report.
        in_process: Calls of a handler, per case and contestant.
        latency: Requests of one client, per case and contestant.
        throughput: Windows of three seconds, per contestant.
        starts: Starts of each package.
        quota: Calls under each quota, per case and contestant.
        quotas: The quotas, in cores.
    """

    name: str
    in_process: int
    latency: int
    throughput: int
    starts: int
    quota: int
    quotas: tuple[float, ...]


QUICK = Plan("quick", 9, 7, 2, 7, 3, (0.5, 1.0))
FULL = Plan("full", 50, 30, 5, 15, 7, (0.5, 1.0, 2.0))
"""Enough rounds for a meaningful p99; takes about 20 minutes."""

SMOKE = Plan("smoke", 1, 1, 1, 1, 1, ())
"""Tests that everything runs; its figures are not meaningful."""

PLANS = {plan.name: plan for plan in (QUICK, FULL, SMOKE)}
