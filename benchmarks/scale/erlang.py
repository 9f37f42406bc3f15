"""Closed-form results of queueing theory, which validate the simulation.

A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic
telephone exchanges" (1917); in modern notation: L. Kleinrock, "Queueing Systems", volume 1 (1975),
sections 3.5 and 3.6.
"""

from __future__ import annotations

from math import exp


def refused_share(servers: int, load: float) -> float:
    """Return Erlang B: the share of requests that find all servers busy and leave (M/G/c/c).

    It depends only on the mean of the service times.

    Args:
        servers: Number of servers.
        load: Arrival rate times mean service time, in servers.
    """
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def waiting_share(servers: int, load: float) -> float:
    """Return Erlang C: the share of requests that find all servers busy and wait (M/M/c).

    Raises:
        ValueError: The load is not below the number of servers; the queue would grow without end.
    """
    if load >= servers:
        raise ValueError(f"a load of {load} needs more than {servers} servers")
    blocked = refused_share(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(servers: int, load: float, service_seconds: float) -> float:
    """Return the mean seconds from arrival to the beginning of service (M/M/c)."""
    return waiting_share(servers, load) * service_seconds / (servers - load)


def waiting_longer(servers: int, load: float, service_seconds: float, seconds: float) -> float:
    """Return the share of requests that wait longer than `seconds` (M/M/c)."""
    rate = (servers - load) / service_seconds
    return waiting_share(servers, load) * exp(-rate * seconds)
