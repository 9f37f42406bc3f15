"""A quick look, in process: contestants side by side, in seconds.

    python -m benchmarks.compare --case jpeg-12mp,10x2mp --contestants ours,naive,limit --rounds 15

Every contestant has a process of its own and takes its turn within every round, so that what
else the machine does meets all alike. The first rounds warm up and don't count. Answers are
compared before anything is timed. Processor time (of all threads) stands beside the elapsed
time: a neighbour's work shows in the one and hardly in the other.

`ours@PATH` is the product of another tree, so that a change can be set beside what was before:

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
"""Seconds between two turns: onnxruntime's threads spin for 0.04 after their work, on a core that
the next contestant needs."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One contestant's calls of one case, milliseconds.

    Attributes:
        wall: On the clock.
        processor: Of all its threads.
    """

    wall: Summary
    processor: Summary


Table = dict[str, dict[str, Timing]]
"""Case name -> contestant -> its timing."""


def takes_part(contestant: str, case: Case) -> bool:
    """The limit is one of detection on uploads: it has no other route and opens no url."""
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
        workers: Of which the first is the one that others are compared with.
        cases: What they are asked.
        rounds: Turns that count, per contestant and case.
        folder: For the requests' bodies.
        port: Of the picture server.

    Raises:
        WrongAnswer: A contestant answers something else than the first.
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
        # The one that goes first changes: whatever a turn leaves behind meets another one.
        first = turn % len(players)
        for worker in [*players[first:], *players[:first]]:
            time.sleep(PAUSE)
            times[worker.contestant] += worker.run()
    return {
        name: Timing(summarize([wall for wall, _ in each]), summarize([used for _, used in each]))
        for name, each in times.items()
    }


def render(table: Mapping[str, Mapping[str, Timing]]) -> str:
    """The table for a terminal: times, and how many times as long as the first contestant's."""
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
    """Compare what the command line names and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--case", default="", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--contestants", default=",".join(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--priority", choices=PRIORITIES, default=PRIORITIES[0])
    parser.add_argument("--memory-mb", default=MEMORY_MB, help="the function's, which sizes it")
    arguments = parser.parse_args()
    names = [name for name in arguments.case.split(",") if name]
    if unknown := sorted(set(names) - set(CASES)):
        parser.error(f"no case {unknown}: there are {', '.join(CASES)}")
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
