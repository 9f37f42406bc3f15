"""Closed-form results of queueing theory, to check the simulation with.

A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic
telephone exchanges" (1917); in today's notation: L. Kleinrock, "Queueing Systems", volume 1 (1975),
sections 3.5 and 3.6.
"""

from __future__ import annotations

from math import exp


def refused_share(servers: int, load: float) -> float:
    """Erlang B: the share of requests that find all servers busy, and leave (M/G/c/c).

    It depends on the service times' mean alone.

    Args:
        servers: How many.
        load: Arrival rate times mean service time, in servers.
    """
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def waiting_share(servers: int, load: float) -> float:
    """Erlang C: the share of requests that find all servers busy, and wait (M/M/c).

    Raises:
        ValueError: There is more work than servers; the queue would grow without end.
    """
    if load >= servers:
        raise ValueError(f"a load of {load} needs more than {servers} servers")
    blocked = refused_share(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(servers: int, load: float, service_seconds: float) -> float:
    """Seconds from arrival to the beginning of service, on average (M/M/c)."""
    return waiting_share(servers, load) * service_seconds / (servers - load)


def waiting_longer(servers: int, load: float, service_seconds: float, seconds: float) -> float:
    """The share of requests that wait longer than so many seconds (M/M/c)."""
    rate = (servers - load) / service_seconds
    return waiting_share(servers, load) * exp(-rate * seconds)
