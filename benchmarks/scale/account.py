"""Simulate a Lambda account event by event: requests are served, wait, or are refused.

The API and the queue differ when no execution environment is free. The API refuses a request unless
Lambda may start a new environment: a function can start 1,000 at once and 100 more per second, up
to
the account's concurrency
(https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html). In a queue or state machine
the
request waits.
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
"""Seconds until an idle environment ends. AWS does not document it; minutes are usual."""

SERVED, COLD, GATEWAY_REFUSED, LAMBDA_REFUSED = range(4)


@dataclass(frozen=True, slots=True)
class Account:
    """Limits of the account and the stack.

    Attributes:
        concurrency: Maximum number of busy environments: the account's quota, or the function's
            reserved concurrency.
        rate_limit: Requests per second that the gateway allows.
        burst_limit: Burst of requests that the gateway allows.
        cold_seconds: Additional seconds of a new environment until its first answer.
        ramp_burst: Number of environments that can start at once.
        ramp_per_second: Number of environments that can start per second after that.
        idle_seconds: Seconds until an idle environment ends.
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
    """The result of every request, in the order of arrival.

    Attributes:
        arrival: Time of arrival in seconds.
        status: `SERVED`, `COLD` (served by a new environment), or which service refused it.
        seconds: Seconds from arrival to answer; NaN if refused.
        busy: Busy environments just after its arrival.
    """

    arrival: Times
    status: NDArray[np.int8]
    seconds: Times
    busy: NDArray[np.int32]

    @property
    def is_answered(self) -> NDArray[np.bool_]:
        """Mask of the answered requests."""
        answered: NDArray[np.bool_] = self.status <= COLD
        return answered

    def percentile(self, share: float) -> float:
        """Return a percentile of the seconds of answered requests; NaN if there are none."""
        seconds = self.seconds[self.is_answered]
        return float(np.percentile(seconds, share)) if len(seconds) else float("nan")

    def share(self, *statuses: int) -> float:
        """Return the share (0..1) of the requests that have one of these statuses."""
        return float(np.isin(self.status, statuses).mean()) if len(self.status) else 0.0


class Bucket:
    """A token bucket, as AWS uses for rate limits.

    Args:
        rate: Tokens per second.
        size: Maximum and initial number of tokens.
    """

    def __init__(self, rate: float, size: float) -> None:
        """Fill the bucket."""
        self._rate = rate
        self._size = size
        self._tokens = size
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take a token; return whether one was available."""
        if self._size == float("inf"):
            return True
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def refuse(arrival: Times, service: Times, account: Account) -> Outcome:
    """Simulate the API: a request is refused if no environment is free or can be started.

    The most recently used environment is taken first, so that surplus environments idle and end
    after a peak.

    Args:
        arrival: Times of arrival in seconds, ascending.
        service: Seconds that each request takes in a warm environment.
        account: The limits.
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
    """Simulate a queue: environments serve requests in the order of arrival.

    Args:
        arrival: Times of arrival in seconds, ascending.
        service: Seconds that each request takes.
        servers: Number of environments.
        cold_seconds: Additional seconds of each environment's first request.
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
