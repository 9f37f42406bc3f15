"""Simulate a day of pictures by API or in batches: latency, refusals, hours, dollars."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scale.account import (
    COLD,
    GATEWAY_REFUSED,
    LAMBDA_REFUSED,
    Account,
    Outcome,
    refuse,
    wait,
)
from benchmarks.scale.arrivals import PATTERNS, Times, arrivals
from scripts import prices
from scripts.cost import DOLLARS_PER_GB_SECOND, billed_ms

SEED = 20261122
DAY = 86_400.0
VOLUMES = prices.VOLUMES
MOST_REQUESTS = {"steady": 200_000, "diurnal": 200_000, "spike x100": 1_000_000}
"""Approximate number of requests in a simulated horizon. A day with many pictures is compressed
into less time at the same rates, so the rates change faster: the spike of 100 million pictures
lasts 9 seconds instead of 14 minutes. That makes the figures worse, because environments have
less time to start."""

INIT_SECONDS = 0.45
"""Init of the function in seconds, measured (docs/deploy.md). It is billed."""

PLATFORM_SECONDS = 0.25
"""Seconds that Lambda needs before init. An assumption."""

RESTORE_SECONDS = 0.3
"""Seconds of a start from a snapshot, instead of both. An assumption."""

MB = prices.MEMORY_MB
PER_BATCH_SECONDS = 0.25
"""Seconds per batch besides its pictures: the call, and writing two objects. An assumption."""


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """Measured durations of a picture.

    Attributes:
        values_ms: Processor milliseconds on one core, sorted.
        source: Where they were measured.
    """

    values_ms: Times
    source: str

    @property
    def mean_ms(self) -> float:
        """Mean in milliseconds."""
        return float(self.values_ms.mean())

    def draw(self, count: int, generator: np.random.Generator) -> Times:
        """Draw seconds in the function, scaled up if it has less than one core."""
        chosen = generator.choice(self.values_ms, count)
        return chosen * (billed_ms(1.0, MB) / 1000)

    def draw_batches(self, count: int, pictures: int, generator: np.random.Generator) -> Times:
        """Draw seconds of whole batches, by the central limit theorem."""
        scale = billed_ms(1.0, MB) / 1000
        mean = pictures * self.mean_ms * scale
        deviation = np.sqrt(pictures) * float(self.values_ms.std()) * scale
        return np.maximum(generator.normal(mean, deviation, count), 0.0) + PER_BATCH_SECONDS


def load_times(path: Path) -> ServiceTimes:
    """Read a file of `benchmarks.scale.measure`."""
    data: dict[str, Any] = json.loads(path.read_text())
    source = (
        f"{data['pictures']} pictures, {len(data['values_ms'])} measurements, "
        f"{data['processor']}, {data['date']}: {data['what']}"
    )
    return ServiceTimes(np.sort(np.array(data["values_ms"], dtype=np.float64)), source)


COLD_START = INIT_SECONDS + PLATFORM_SECONDS
OPEN = Account(1_000, rate_limit=10_000, burst_limit=5_000, cold_seconds=COLD_START)
ACCOUNTS: dict[str, Account] = {
    "new account": replace(OPEN, concurrency=10, rate_limit=20, burst_limit=40),
    "as deployed": replace(OPEN, rate_limit=20, burst_limit=40),
    "throttling raised": OPEN,
    "reserved 100": replace(OPEN, concurrency=100),
    "with SnapStart": replace(OPEN, cold_seconds=RESTORE_SECONDS),
    "quotas raised": replace(OPEN, concurrency=10_000, rate_limit=100_000, burst_limit=50_000),
}
"""Accounts with different parameters and quotas. 10,000 requests per second with bursts of 5,000 is
an account's quota for API Gateway, and the maximum that the stack accepts."""


@dataclass(frozen=True, slots=True)
class Day:
    """One pattern, volume and account.

    Attributes:
        pattern: Name of the arrival pattern.
        volume: Pictures per day, one per request.
        account: Name of the account.
        outcome: Result of the simulated horizon.
        dollars: Cost of the whole volume, as far as it was answered or refused by Lambda.
    """

    pattern: str
    volume: int
    account: str
    outcome: Outcome
    dollars: float


def simulate(pattern: str, volume: int, account: str, times: ServiceTimes) -> Day:
    """Simulate a day by API, or `MOST_REQUESTS` of it."""
    generator = np.random.default_rng(SEED)
    rate = volume / DAY
    horizon = min(DAY, MOST_REQUESTS[pattern] / rate)
    arrival = arrivals(PATTERNS[pattern], rate, horizon, generator)
    service = times.draw(len(arrival), generator)
    outcome = refuse(arrival, service, ACCOUNTS[account])
    dollars = _dollars(outcome, service) * volume / max(1, len(arrival))
    return Day(pattern, volume, account, outcome, dollars)


def _dollars(outcome: Outcome, service: Times) -> float:
    """Return the cost of the simulated requests; the gateway refuses requests free of charge."""
    let_in = float((outcome.status != GATEWAY_REFUSED).sum())
    answered = outcome.is_answered
    cold = float((outcome.status == COLD).sum())
    seconds = float(service[answered].sum()) + cold * INIT_SECONDS
    return (
        prices.per_million("API Gateway REST request", let_in)
        + prices.per_million("Lambda request", float(answered.sum()))
        + seconds * MB / 1024 * DOLLARS_PER_GB_SECOND["arm64"]
    )


@dataclass(frozen=True, slots=True)
class Archive:
    """A run over an archive.

    Attributes:
        volume: Number of pictures.
        concurrency: Number of concurrent batches.
        hours: Hours until the last batch has finished.
        batch_p99: Seconds of one batch, p99.
        dollars: Cost of all pictures.
    """

    volume: int
    concurrency: int
    hours: float
    batch_p99: float
    dollars: float


def run_archive(volume: int, concurrency: int, times: ServiceTimes) -> Archive:
    """Simulate the state machine on all pictures, `prices.BATCH` per batch, without failures."""
    generator = np.random.default_rng(SEED)
    batches = -(-volume // prices.BATCH)
    service = times.draw_batches(batches, prices.BATCH, generator)
    outcome = wait(np.zeros(batches), service, concurrency, COLD_START)
    starts = min(concurrency, batches) * INIT_SECONDS + batches * PER_BATCH_SECONDS
    dollars = sum(prices.bulk_dollars(volume, times.mean_ms).values())
    dollars += starts * MB / 1024 * DOLLARS_PER_GB_SECOND["arm64"]
    return Archive(
        volume,
        concurrency,
        float(outcome.seconds.max()) / 3600,
        float(np.percentile(service, 99)),
        dollars,
    )


def refusals(outcome: Outcome) -> tuple[float, float]:
    """Return the shares of requests refused by the gateway and by Lambda."""
    return outcome.share(GATEWAY_REFUSED), outcome.share(LAMBDA_REFUSED)
