"""The simulation agrees with closed forms: M/M/c (Erlang C) and M/G/c/c (Erlang B).

Each figure is the mean of independent replications with a fixed seed, and must be within four
standard errors of the closed form: chance alone fails that once in 16,000 figures. The standard
errors are bounded, too, so that the test is sensitive.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.scale import erlang
from benchmarks.scale.account import COLD, LAMBDA_REFUSED, Account, refuse, wait
from benchmarks.scale.arrivals import PATTERNS, arrivals, steady

SEED = 20261122
REPLICATIONS = 16
REQUESTS = 20_000
WARM_UP = 2_000
"""Requests to ignore, because the first ones find an empty system."""

STANDARD_ERRORS = 4.0
QUEUES = {
    "one server, half busy": (1, 0.5),
    "one server, 80 %": (1, 0.8),
    "5 servers, 80 %": (5, 4.0),
    "50 servers, 90 %": (50, 45.0),
}


def check(values: list[float], expected: float, at_most: float) -> None:
    """Check that the mean is within four standard errors, and that the error is small."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    assert abs(np.mean(values) - expected) <= STANDARD_ERRORS * error
    assert error <= at_most * expected, "too few replications to decide"


def poisson(generator: np.random.Generator, rate: float) -> NDArray[np.float64]:
    return np.cumsum(generator.exponential(1 / rate, REQUESTS))


@pytest.mark.parametrize(("servers", "load"), QUEUES.values(), ids=QUEUES)
def test_waiting_matches_erlang_c(servers: int, load: float) -> None:
    generator = np.random.default_rng(SEED)
    shares, waits, long_waits = [], [], []
    limit = 2 * erlang.mean_wait(servers, load, 1.0)
    for _ in range(REPLICATIONS):
        service = generator.exponential(1.0, REQUESTS)
        outcome = wait(poisson(generator, load), service, servers)
        waited = (outcome.seconds - service)[WARM_UP:]
        shares.append(float((waited > 1e-9).mean()))
        waits.append(float(waited.mean()))
        long_waits.append(float((waited > limit).mean()))

    check(shares, erlang.waiting_share(servers, load), 0.05)
    check(waits, erlang.mean_wait(servers, load, 1.0), 0.12)
    check(long_waits, erlang.waiting_longer(servers, load, 1.0, limit), 0.15)


Draw = Callable[[np.random.Generator], NDArray[np.float64]]
SERVICES: dict[str, Draw] = {
    "exponential": lambda generator: generator.exponential(1.0, REQUESTS),
    "constant": lambda _: np.ones(REQUESTS),
    "mostly short, some long": lambda generator: np.where(
        generator.random(REQUESTS) < 0.9, 0.5, 5.5
    ),
}


@pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
@pytest.mark.parametrize(("servers", "load"), [(5, 4.0), (20, 22.0)])
def test_refusals_match_erlang_b(servers: int, load: float, service: Draw) -> None:
    """Only the mean of the service times matters, not their distribution."""
    generator = np.random.default_rng(SEED)
    account = Account(servers, ramp_burst=float("inf"))
    refused = []
    for _ in range(REPLICATIONS):
        outcome = refuse(poisson(generator, load), service(generator), account)
        refused.append(float((outcome.status[WARM_UP:] == LAMBDA_REFUSED).mean()))

    check(refused, erlang.refused_share(servers, load), 0.03)


def test_closed_forms_by_hand() -> None:
    assert erlang.refused_share(1, 1.0) == 0.5
    assert erlang.refused_share(2, 1.0) == pytest.approx(0.2)
    assert erlang.waiting_share(1, 0.7) == pytest.approx(0.7), "M/M/1: it is the load"
    assert erlang.mean_wait(1, 0.5, 2.0) == pytest.approx(2.0)
    assert erlang.waiting_share(2, 1.0) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="more than 2"):
        erlang.waiting_share(2, 2.0)


def fixed(count: int, at: float = 0.0) -> NDArray[np.float64]:
    return np.full(count, at)


def test_the_ramp_gives_1000_at_once_and_100_a_second_after() -> None:
    every_second = np.repeat(np.arange(4.0), [3000, 500, 500, 500])
    outcome = refuse(every_second, np.full(4500, 60.0), Account(10_000))

    new = [int((outcome.status[every_second == second] == COLD).sum()) for second in range(4)]
    assert new == [1000, 100, 100, 100]


def test_reserved_concurrency_is_the_limit() -> None:
    outcome = refuse(fixed(100), np.ones(100), Account(7))
    assert int(outcome.is_answered.sum()) == 7
    assert outcome.share(LAMBDA_REFUSED) == pytest.approx(0.93)
    assert int(outcome.busy.max()) == 7


def test_the_gateway_lets_a_burst_pass_and_then_a_rate() -> None:
    times = np.sort(np.concatenate([fixed(100), np.arange(1, 11) / 8]))
    outcome = refuse(times, np.full(110, 0.01), Account(1000, rate_limit=4, burst_limit=40))
    assert int(outcome.is_answered[:100].sum()) == 40
    assert int(outcome.is_answered[100:].sum()) == 5


def test_an_environment_is_warm_until_it_was_idle_for_too_long() -> None:
    account = Account(10, cold_seconds=1.0, idle_seconds=300.0)
    outcome = refuse(np.array([0.0, 10.0, 300.0, 700.0]), np.full(4, 0.5), account)
    assert outcome.seconds.tolist() == [1.5, 0.5, 0.5, 1.5]


def test_a_queue_starts_cold_once_per_environment() -> None:
    outcome = wait(fixed(5), np.ones(5), servers=2, cold_seconds=0.5)
    assert outcome.seconds.tolist() == [1.5, 1.5, 2.5, 2.5, 3.5]


MEANS = {"steady": (1.0, 1.0), "diurnal": (1.8, 0.2), "spike x100": (100 / 1.99, 1 / 1.99)}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_have_their_mean_and_their_peak(name: str) -> None:
    generator = np.random.default_rng(SEED)
    times = arrivals(PATTERNS[name], 1000.0, 400.0, generator)
    assert len(times) == pytest.approx(400_000, abs=4 * 400_000**0.5)
    assert (np.diff(times) >= 0).all()
    counts, _ = np.histogram(times, bins=100, range=(0.0, 400.0))
    peak, low = MEANS[name]
    assert counts.max() / 4000 == pytest.approx(peak, rel=0.08)
    assert counts.min() / 4000 == pytest.approx(low, rel=0.3)


def test_gaps_of_a_steady_process_are_exponential() -> None:
    times = arrivals(steady, 100.0, 1000.0, np.random.default_rng(SEED))
    gaps = np.diff(times)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.02)
