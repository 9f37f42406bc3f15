"""A Lambda account, event by event: who is served, who waits, who is refused.

Two doors differ in what happens to a request that finds no free execution environment. By API it is
refused, unless Lambda may make a new one: of those a function gets 1,000 at once and 100 per second
after, up to the account's concurrency
(https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html). By queue or state machine it
waits.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale.arrivals import Times

RAMP_BURST = 1000.0
RAMP_PER_SECOND = 100.0
IDLE_SECONDS = 300.0
"""How long an environment that does nothing is kept; AWS does not say; minutes are seen."""

SERVED, COLD, GATEWAY_REFUSED, LAMBDA_REFUSED = range(4)


@dataclass(frozen=True, slots=True)
class Account:
    """What the account and the stack allow.

    Attributes:
        concurrency: Environments at work at the same time: the account's quota, or what is
            reserved for the function.
        rate_limit: Requests per second that the gateway lets pass.
        burst_limit: Requests at once that it does.
        cold_seconds: What a new environment takes longer, to its first answer.
        ramp_burst: New environments at once.
        ramp_per_second: New environments per second after.
        idle_seconds: How long one that does nothing is kept.
    """

    concurrency: int
    rate_limit: float = float("inf")
    burst_limit: float = float("inf")
    cold_seconds: float = 0.0
    ramp_burst: float = RAMP_BURST
    ramp_per_second: float = RAMP_PER_SECOND
    idle_seconds: float = IDLE_SECONDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of every request, in the order of their arrival.

    Attributes:
        arrival: When it came, seconds.
        status: `SERVED`, `COLD` (served by a new environment), or who refused it.
        seconds: From arrival to answer; NaN where it was refused.
        busy: Environments at work just after it came.
    """

    arrival: Times
    status: NDArray[np.int8]
    seconds: Times
    busy: NDArray[np.int32]

    @property
    def is_answered(self) -> NDArray[np.bool_]:
        """Which requests were."""
        answered: NDArray[np.bool_] = self.status <= COLD
        return answered

    def percentile(self, share: float) -> float:
        """Of the seconds of answered requests; NaN where there are none."""
        seconds = self.seconds[self.is_answered]
        return float(np.percentile(seconds, share)) if len(seconds) else float("nan")

    def share(self, *statuses: int) -> float:
        """Of the requests with one of these statuses, 0..1."""
        return float(np.isin(self.status, statuses).mean()) if len(self.status) else 0.0


class Bucket:
    """A token bucket, which is how AWS limits rates.

    Args:
        rate: Tokens per second.
        size: Most tokens, which are there at the start.
    """

    def __init__(self, rate: float, size: float) -> None:
        """Fill it."""
        self._rate = rate
        self._size = size
        self._tokens = size
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        if self._size == float("inf"):
            return True
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def refuse(arrival: Times, service: Times, account: Account) -> Outcome:
    """The API's door: without a free environment, and none to be made, a request is refused.

    Free environments are taken the one used last first, so that those which a peak has left go
    unused and end.

    Args:
        arrival: When requests come, seconds, ascending.
        service: How long each takes in an environment that has started, seconds.
        account: What is allowed.
    """
    gateway = Bucket(account.rate_limit, account.burst_limit)
    ramp = Bucket(account.ramp_per_second, account.ramp_burst)
    busy: list[float] = []
    idle: deque[float] = deque()
    status = np.empty(len(arrival), dtype=np.int8)
    seconds = np.full(len(arrival), np.nan)
    at_work = np.empty(len(arrival), dtype=np.int32)
    for position, (now, needed) in enumerate(zip(arrival.tolist(), service.tolist(), strict=True)):
        while busy and busy[0] <= now:
            idle.append(heapq.heappop(busy))
        while idle and idle[0] < now - account.idle_seconds:
            idle.popleft()
        kind = SERVED
        if not gateway.take(now):
            kind = GATEWAY_REFUSED
        elif len(busy) >= account.concurrency:
            kind = LAMBDA_REFUSED
        elif idle:
            idle.pop()
        else:
            kind = COLD if ramp.take(now) else LAMBDA_REFUSED
        if kind <= COLD:
            taken = needed + (account.cold_seconds if kind == COLD else 0.0)
            heapq.heappush(busy, now + taken)
            seconds[position] = taken
        status[position] = kind
        at_work[position] = len(busy)
    return Outcome(arrival, status, seconds, at_work)


def wait(arrival: Times, service: Times, servers: int, cold_seconds: float = 0.0) -> Outcome:
    """The queue's door: first come, first served, by so many environments.

    Args:
        arrival: When requests come, seconds, ascending.
        service: How long each takes, seconds.
        servers: Environments; each one's first request takes `cold_seconds` longer.
        cold_seconds: See there.
    """
    free: list[float] = []
    status = np.zeros(len(arrival), dtype=np.int8)
    seconds = np.empty(len(arrival))
    at_work = np.empty(len(arrival), dtype=np.int32)
    for position, (now, needed) in enumerate(zip(arrival.tolist(), service.tolist(), strict=True)):
        if len(free) < servers and not (free and free[0] <= now):
            begin, taken = now, needed + cold_seconds
            status[position] = COLD
        else:
            begin, taken = max(now, heapq.heappop(free)), needed
        heapq.heappush(free, begin + taken)
        seconds[position] = begin + taken - now
        at_work[position] = len(free)
    return Outcome(arrival, status, seconds, at_work)
