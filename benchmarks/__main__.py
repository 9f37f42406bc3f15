"""Run the whole benchmark: `make bench`, `make bench-full`.

    python -m benchmarks [--plan quick|full|smoke] [--skip http,starts,quota]

Writes `benchmarks/results/PLAN.json`, `.md` and `.png`, and prints which goals are met; the exit
status does not depend on them. The JSON has these fields:

    machine          name -> text
    in_process       case -> contestant -> wall, processor: median, p99, spread, count
    http_latency     case -> contestant -> median, p99, spread, count
    http_throughput  contestant -> per_second, per_core_second
    starts           contestant -> ready, first_answer, imports, memory, peak, package
    quota            cores -> as in_process
    cost             contestant -> dollars per million pictures
    skipped          section -> reason
    bars             name, bound, seen, is_passed
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine, over_http, picture_server, quota, report, starts
from benchmarks.answers import WrongAnswer
from benchmarks.bars import judge
from benchmarks.cases import chosen
from benchmarks.compare import CONTESTANTS, compare
from benchmarks.environments import EnvironmentFailed
from benchmarks.plan import PLANS, Plan
from benchmarks.processes import ContestantFailed, Worker, environment, set_up
from benchmarks.servers import PEERS
from scripts.cost import dollars_per_million
from scripts.package.build import BuildFailed

FAILURES = (
    BuildFailed,
    ContestantFailed,
    EnvironmentFailed,
    WrongAnswer,
    quota.NoQuota,
    starts.StartsFailed,
)
COST_CASE = "jpeg-2mp"
COST_MEMORY_MB = 1769

Json = dict[str, Any]


def main() -> None:
    """Measure by a plan, write the reports, and print the goals."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--plan", choices=PLANS, default="quick")
    parser.add_argument(
        "--skip", default="", help="comma-separated sections to skip: http, starts, quota"
    )
    parser.add_argument("--output", type=Path, default=report.RESULTS)
    arguments = parser.parse_args()
    plan = PLANS[arguments.plan]
    with picture_server.serving() as port, tempfile.TemporaryDirectory() as folder:
        results = measure(plan, set(arguments.skip.split(",")), Path(folder), port)
    results["machine"] = machine.facts()
    results["bars"] = [asdict(verdict) for verdict in judge(results)]
    report.write(results, plan.name, arguments.output)
    print(report.bars_table(results))


def measure(plan: Plan, skip: set[str], folder: Path, port: int) -> Json:
    """Measure every section that is not skipped; a failed section counts as skipped."""
    results: Json = {"plan": plan.name, "skipped": {}}

    def section(name: str, work: Callable[[], Json]) -> None:
        if name in skip:
            results["skipped"][name] = "skipped on the command line"
            return
        started = time.monotonic()
        try:
            results.update(work())
        except FAILURES as error:
            results["skipped"][name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)

    section("in process", lambda: _in_process(plan, folder, port))
    section("starts", lambda: {"starts": _dicts(starts.measure(plan.starts, folder))})
    section("quota", lambda: _quotas(plan, folder, port))
    # Last, because it raises the priority of this process, which is the client.
    section("http", lambda: _over_http(plan, port))
    return results


def _in_process(plan: Plan, folder: Path, port: int) -> Json:
    with ExitStack() as stack:
        workers = []
        for contestant in CONTESTANTS:
            worker = Worker(contestant, environment(port))
            stack.callback(worker.close)
            workers.append(worker)
        table = compare(workers, chosen([]), plan.in_process, folder, port)
    cost = {
        contestant: {
            architecture: dollars_per_million(timing.processor.median, COST_MEMORY_MB, architecture)
            for architecture in ("arm64", "x86_64")
        }
        for contestant, timing in table[COST_CASE].items()
        if contestant != "limit"
    }
    return {"in_process": {case: _dicts(times) for case, times in table.items()}, "cost": cost}


def _quotas(plan: Plan, folder: Path, port: int) -> Json:
    found = {}
    for cores in plan.quotas:
        table = quota.measure(cores, plan.quota, folder, port)
        found[f"{cores:g}"] = {case: _dicts(times) for case, times in table.items()}
    return {"quota": found}


def _over_http(plan: Plan, port: int) -> Json:
    set_up("high")()
    contestants = ("ours", "naive", *PEERS)
    # Each measurement uses the number of threads that suits the web frameworks best.
    with over_http.servers(contestants, port, threads=0) as players:
        latency = over_http.latency(players, chosen([]), plan.latency, port)
    with over_http.servers(contestants, port, threads=1) as players:
        throughput = over_http.throughput(players, plan.throughput, port)
    return {
        "http_latency": {case: _dicts(times) for case, times in latency.items()},
        "http_throughput": _dicts(throughput),
    }


def _dicts(records: dict[str, Any]) -> Json:
    return json.loads(json.dumps({name: asdict(record) for name, record in records.items()}))  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
