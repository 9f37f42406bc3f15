"""Goals of the benchmark: ratios and bounds, each passed or failed.

A goal whose measurement is missing fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Any]
"""The JSON of a report; `benchmarks.__main__` documents it."""

MB = 1_000_000
PEERS = ("fastapi", "litserve", "bentoml")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one goal.

    Attributes:
        name: The compared quantities.
        bound: The goal in words: "at least 2.5".
        seen: The measured value; None if it was not measured.
        is_passed: Whether the goal is met.
    """

    name: str
    bound: str
    seen: float | None
    is_passed: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One goal.

    Attributes:
        name: The compared quantities.
        value: Computes the value from the results; raises KeyError if it was not measured.
        low: Lower bound, or None.
        high: Upper bound, or None.
    """

    name: str
    value: Callable[[Results], float]
    low: float | None = None
    high: float | None = None

    def judge(self, results: Results) -> Verdict:
        """Compare the results with the bounds."""
        bound = f"at least {self.low:g}" if self.low is not None else f"at most {self.high:g}"
        try:
            seen = self.value(results)
        except KeyError:
            return Verdict(self.name, bound, None, False)
        is_high_enough = self.low is None or seen >= self.low
        is_low_enough = self.high is None or seen <= self.high
        return Verdict(self.name, bound, seen, is_high_enough and is_low_enough)


def judge(results: Results) -> list[Verdict]:
    """Return the verdict on every goal."""
    return [bar.judge(results) for bar in BARS]


def _in_process(case: str, above: str, below: str) -> Callable[[Results], float]:
    def value(results: Results) -> float:
        times = results["in_process"][case]
        return float(times[above]["wall"]["median"] / times[below]["wall"]["median"])

    return value


def _worst_latency(peer: str) -> Callable[[Results], float]:
    """Return the smallest ratio of a peer's p50 to ours over all cases."""

    def value(results: Results) -> float:
        cases = results["http_latency"].values()
        return float(min(times[peer]["median"] / times["ours"]["median"] for times in cases))

    return value


def _throughput(peer: str) -> Callable[[Results], float]:
    def value(results: Results) -> float:
        found = results["http_throughput"]
        return float(found["ours"]["per_second"] / found[peer]["per_second"])

    return value


def _megabytes(name: str) -> Callable[[Results], float]:
    return lambda results: float(results["starts"]["ours"][name] / MB)


def _init(results: Results) -> float:
    starts = results["starts"]
    return float(starts["naive"]["ready"]["median"] / starts["ours"]["ready"]["median"])


BARS = (
    Bar("naive / ours, 1 x 12 MP", _in_process("jpeg-12mp", "naive", "ours"), low=4.2),
    Bar("naive / ours, 10 x 2 MP", _in_process("10x2mp", "naive", "ours"), low=3.3),
    Bar("naive / ours, 1 x 0.5 MP", _in_process("jpeg-0.5mp", "naive", "ours"), low=1.6),
    Bar("ours / limit, 1 x 12 MP", _in_process("jpeg-12mp", "ours", "limit"), high=1.08),
    Bar("ours / limit, 10 x 2 MP", _in_process("10x2mp", "ours", "limit"), high=1.08),
    *(Bar(f"{peer} / ours, p50, worst case", _worst_latency(peer), low=1.0) for peer in PEERS),
    *(Bar(f"ours / {peer}, requests per second", _throughput(peer), low=1.5) for peer in PEERS),
    Bar("naive / ours, init", _init, low=2.5),
    Bar("memory after init, MB", _megabytes("memory"), high=145),
    Bar("peak on 10 x 2 MP, MB", _megabytes("peak"), high=350),
)
