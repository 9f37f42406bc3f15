"""Measure contestants over HTTP: latency and throughput.

All servers run at the same time and alternate within each round; the others wait for a connection.
Latency is measured with one client, throughput with four. The clients run in this process, on the
same cores, which costs every contestant the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks import picture_server
from benchmarks.answers import WrongAnswer, check
from benchmarks.cases import CASES, Case, form
from benchmarks.compare import PAUSE
from benchmarks.servers import RECIPES, Server
from benchmarks.stats import Summary, summarize

CLIENTS = 4
WINDOW_SECONDS = 3.0
THROUGHPUT_CASE = "jpeg-2mp"
WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests that a contestant answers.

    Attributes:
        per_second: Requests per second by both processes together, median of the rounds.
        per_core_second: Requests per second of processor time.
    """

    per_second: float
    per_core_second: float


@contextmanager
def servers(contestants: Sequence[str], port: int, threads: int) -> Iterator[list[Server]]:
    """Start servers of these contestants, yield them, and stop them at the end.

    Args:
        contestants: Names in `RECIPES`.
        port: Port of the picture server.
        threads: onnxruntime's threads per process of a web framework; 0 for its default.
    """
    case = CASES["jpeg-0.5mp"]
    with ExitStack() as stack:
        started = []
        for contestant in contestants:
            server = Server(contestant, port, threads)
            stack.callback(server.close)
            started.append(server)
        for server in started:
            server.wait(case, _body(server, case, port))
        yield started


def latency(
    players: Sequence[Server], cases: Sequence[Case], rounds: int, port: int
) -> dict[str, dict[str, Summary]]:
    """Return milliseconds per request of one client: case name -> contestant -> summary.

    Raises:
        WrongAnswer: A contestant's answer differs from the first one's.
    """
    table = {}
    for case in cases:
        bodies = {server.contestant: _body(server, case, port) for server in players}
        _check_answers(players, case, bodies)
        times: dict[str, list[float]] = {server.contestant: [] for server in players}
        for turn in range(rounds):
            first = turn % len(players)
            for server in [*players[first:], *players[:first]]:
                time.sleep(PAUSE)
                started = time.perf_counter()
                status, _ = server.post(case, bodies[server.contestant])
                times[server.contestant].append((time.perf_counter() - started) * 1000)
                _expect_success(server, case, status)
        table[case.name] = {name: summarize(values) for name, values in times.items()}
    return table


def throughput(players: Sequence[Server], rounds: int, port: int) -> dict[str, Throughput]:
    """Return requests per second of four concurrent clients, by contestant."""
    case = CASES[THROUGHPUT_CASE]
    rates: dict[str, list[tuple[float, float]]] = {server.contestant: [] for server in players}
    for _ in range(rounds):
        for server in players:
            time.sleep(PAUSE)
            rates[server.contestant].append(_rate(server, case, _body(server, case, port)))
    return {
        name: Throughput(
            summarize([rate for rate, _ in values]).median,
            summarize([per_core for _, per_core in values]).median,
        )
        for name, values in rates.items()
    }


def _rate(server: Server, case: Case, body: bytes) -> tuple[float, float]:
    """Return answers per second, and per second of processor time."""
    finished: list[int] = []
    used, started = server.processor_seconds(), time.perf_counter()

    def ask() -> None:
        while time.perf_counter() - started < WINDOW_SECONDS:
            finished.append(server.post(case, body)[0])

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    elapsed, used = time.perf_counter() - started, server.processor_seconds() - used
    for status in finished:
        _expect_success(server, case, status)
    return len(finished) / elapsed, len(finished) / used if used else 0.0


def _check_answers(players: Sequence[Server], case: Case, bodies: dict[str, bytes]) -> None:
    expected = players[0].answer(case, bodies[players[0].contestant])
    for server in players:
        for _ in range(WARM_UP):
            given = server.answer(case, bodies[server.contestant])
        try:
            check(expected, given, case.min_found)
        except WrongAnswer as error:
            raise WrongAnswer(f"{server.contestant}, {case.title}: {error}") from error


def _expect_success(server: Server, case: Case, status: int) -> None:
    if status != 200:
        raise WrongAnswer(f"{server.contestant}, {case.title}: status {status}")


def _body(server: Server, case: Case, port: int) -> bytes:
    return form(case, picture_server.url_base(server.contestant, port))


ALL = tuple(RECIPES)
