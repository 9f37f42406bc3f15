"""How much is measured: `make bench` looks, `make bench-full` makes sure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds that count, by what they measure.

    Attributes:
        name: Of the report.
        in_process: Calls of a handler, per case and contestant.
        latency: Requests of one client, per case and contestant.
        throughput: Windows of three seconds, per contestant.
        starts: Of each package.
        quota: Calls under each quota, per case and contestant.
        quotas: In cores.
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
"""So many that a p99 is more than the slowest of a few; it takes about 20 minutes."""

SMOKE = Plan("smoke", 1, 1, 1, 1, 1, ())
"""Whether everything runs: its figures mean nothing."""

PLANS = {plan.name: plan for plan in (QUICK, FULL, SMOKE)}
