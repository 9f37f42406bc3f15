"""Compare contestants in process, in seconds.

    python -m benchmarks.compare --case jpeg-12mp,10x2mp --contestants ours,naive,limit --rounds 15

Every contestant has its own process and they alternate within each round, so other load on the
machine affects all alike. The first rounds are a warm-up. Answers are compared before anything is
timed. Processor time (of all threads) is reported too: other processes hardly affect it.

`ours@PATH` is the product in another tree, to compare a change with its base:

    python -m benchmarks.compare --contestants ours,ours@../before
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import picture_server
from benchmarks.answers import WrongAnswer, check
from benchmarks.cases import CASES, CLASSIFICATION, Case, chosen
from benchmarks.processes import (
    MEMORY_MB,
    PRIORITIES,
    ContestantFailed,
    Worker,
    close_all,
    environment,
)
from benchmarks.stats import Summary, summarize

CONTESTANTS = ("ours", "naive", "limit")
WARM_UP = 2
PAUSE = 0.08
"""Seconds between two turns. onnxruntime's threads spin for 0.04 s after their work, on a core that
the next contestant needs."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of one contestant's calls for one case, in milliseconds.

    Attributes:
        wall: Elapsed time.
        processor: Processor time of all threads.
    """

    wall: Summary
    processor: Summary


Table = dict[str, dict[str, Timing]]
"""Case name -> contestant -> timing."""


def takes_part(contestant: str, case: Case) -> bool:
    """Return whether a contestant supports a case: `limit` only detects in uploads."""
    return contestant != "limit" or not (case.route == CLASSIFICATION or case.by_url)


def compare(
    workers: Sequence[Worker],
    cases: Sequence[Case],
    rounds: int,
    folder: Path,
    port: int,
) -> Table:
    """Check the answers of every case, then time it.

    Args:
        workers: The contestants; the others are compared with the first one.
        cases: The requests.
        rounds: Timed calls per contestant and case.
        folder: Folder for the bodies of the requests.
        port: Port of the picture server.

    Raises:
        WrongAnswer: A contestant's answer differs from the first one's.
    """
    table: Table = {}
    for case in cases:
        players = [worker for worker in workers if takes_part(worker.contestant, case)]
        for worker in players:
            worker.prepare(case, folder, picture_server.url_base(worker.contestant, port))
        _check_answers(players, case)
        table[case.name] = _time(players, rounds)
    return table


def _check_answers(players: Sequence[Worker], case: Case) -> None:
    expected = players[0].answer()
    for worker in players:
        try:
            check(expected, worker.answer(), case.min_found)
        except WrongAnswer as error:
            raise WrongAnswer(f"{worker.contestant}, {case.title}: {error}") from error


def _time(players: Sequence[Worker], rounds: int) -> dict[str, Timing]:
    times: dict[str, list[tuple[float, float]]] = {each.contestant: [] for each in players}
    for worker in players:
        worker.run(WARM_UP)
    for turn in range(rounds):
        # The order rotates, so side effects of a turn do not always hit the same contestant.
        first = turn % len(players)
        for worker in [*players[first:], *players[:first]]:
            time.sleep(PAUSE)
            times[worker.contestant] += worker.run()
    return {
        name: Timing(summarize([wall for wall, _ in each]), summarize([used for _, used in each]))
        for name, each in times.items()
    }


def render(table: Mapping[str, Mapping[str, Timing]]) -> str:
    """Return a table for a terminal: times, and the ratio to the first contestant."""
    width = max(min(24, len(name)) for timings in table.values() for name in timings)
    head = f"{'case':22} {'contestant':{width}} {'p50 ms':>8} {'p99 ms':>8} {'spread':>7}"
    lines = [f"{head} {'cpu ms':>8} {'p50/1st':>9} {'cpu/1st':>9}"]
    for name, timings in table.items():
        ours = next(iter(timings.values()))
        for contestant, timing in timings.items():
            wall, used = timing.wall, timing.processor
            row = f"{CASES[name].title:22} {contestant[-24:]:{width}}"
            row += f" {wall.median:8.1f} {wall.p99:8.1f} {wall.spread:7.0%} {used.median:8.1f}"
            row += f" {wall.median / ours.wall.median:9.2f}"
            row += f" {used.median / ours.processor.median:9.2f}"
            lines.append(row)
    return "\n".join(lines)


def main() -> None:
    """Compare the contestants of the command line and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--case", default="", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--contestants", default=",".join(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--priority", choices=PRIORITIES, default=PRIORITIES[0])
    parser.add_argument(
        "--memory-mb",
        default=MEMORY_MB,
        help="the function's memory in MB, which sizes its thread pool",
    )
    arguments = parser.parse_args()
    names = [name for name in arguments.case.split(",") if name]
    if unknown := sorted(set(names) - set(CASES)):
        parser.error(f"unknown case {unknown}; choose from {', '.join(CASES)}")
    contestants = arguments.contestants.split(",")
    workers: list[Worker] = []
    with picture_server.serving() as port, tempfile.TemporaryDirectory() as folder:
        environ = environment(port, arguments.memory_mb)
        try:
            for contestant in contestants:
                workers.append(Worker(contestant, environ, arguments.priority))
            print(render(compare(workers, chosen(names), arguments.rounds, Path(folder), port)))
        except (ContestantFailed, WrongAnswer) as error:
            raise SystemExit(f"compare: {error}") from error
        finally:
            close_all(workers)


if __name__ == "__main__":
    main()
