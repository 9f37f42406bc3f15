"""Load the API with valid and invalid requests and check every answer: `python -m scripts.load`.

    python -m scripts.load [--requests 5000] [--clients 8] [--seconds 1200] [--url URL]

The clients send HTTP requests and compare each answer with the expected one
(scripts/load_cases.py). Without --url the local API is started and stopped, and the descriptors and
processes that it holds are counted before and after. The exit status is 1 if an answer was wrong or
missing, or if anything leaked.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import requests

from scripts.demo import DemoError, local_api
from scripts.load_cases import CASES, Exchange

REQUEST_SECONDS = 60.0
SETTLE_SECONDS = 5.0
"""Seconds allowed for the last connections to close."""
WARM_UP_ROUNDS = 2
"""Requests per client before resources are counted: processes start when first needed."""
MAX_SHOWN = 10


@dataclass(slots=True)
class Tally:
    """The results of the requests.

    Attributes:
        seconds: Response time of each answered request.
        errors: Requests without an answer.
        wrong: Differences between answers and expectations.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Number of requests sent."""
        return len(self.seconds) + len(self.errors)

    def milliseconds(self, share: float) -> float:
        """Return the response time, in ms, within which that share (0..1) of the answers came."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


@dataclass(frozen=True, slots=True)
class Resources:
    """Resources held by the child processes."""

    processes: int
    descriptors: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load test; return 0 if every answer was right and nothing leaked."""
    options = _parser().parse_args(arguments)
    try:
        with nullcontext(options.url) if options.url else local_api() as url:
            load(url, options.clients, options.clients * WARM_UP_ROUNDS * len(CASES), 600)
            before = None if options.url else child_resources()
            start = time.monotonic()
            tally = load(url, options.clients, options.requests, options.seconds)
            seconds = time.monotonic() - start
            leaked = before and _leaked(before)
    except DemoError as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    for line in [*tally.errors, *tally.wrong][:MAX_SHOWN]:
        print(line)
    is_complete = tally.requests == options.requests
    if not is_complete:
        print(f"only {tally.requests} of {options.requests} requests in {options.seconds:g} s")
    print(
        f"requests: {tally.requests}\nerrors: {len(tally.errors)}\n"
        f"wrong answers: {len(tally.wrong)}\n"
        f"leaked descriptors: {leaked.descriptors if leaked else 'not counted'}\n"
        f"leaked processes: {leaked.processes if leaked else 'not counted'}\n"
        f"p50: {tally.milliseconds(0.5):.0f} ms\np99: {tally.milliseconds(0.99):.0f} ms\n"
        f"{tally.requests / seconds:.0f} requests a second, {options.clients} clients"
    )
    is_right = not (tally.errors or tally.wrong or (leaked and leaked != Resources(0, 0)))
    return 0 if is_right and is_complete else 1


def load(url: str, clients: int, number: int, seconds: float) -> Tally:
    """Send `number` requests, alternating between the cases, or as many as time allows."""
    tally = Tally()
    numbers = count()
    lock = threading.Lock()
    end = time.monotonic() + seconds
    cases = list(CASES.items())

    def client() -> None:
        while time.monotonic() < end:
            with lock:
                mine = next(numbers)
            if mine >= number:
                return
            name, case = cases[mine % len(cases)]
            start = time.monotonic()
            try:
                difference = check_answer(url, case(mine))
            except requests.RequestException as error:
                tally.errors.append(f"{name}: {type(error).__name__}: {error}")
                continue
            tally.seconds.append(time.monotonic() - start)
            if difference:
                tally.wrong.append(f"{name}: {difference}")

    with ThreadPoolExecutor(clients) as pool:
        for running in [pool.submit(client) for _ in range(clients)]:
            running.result()
    return tally


def check_answer(url: str, exchange: Exchange) -> str:
    """Send one request and describe what is wrong with its answer; "" if nothing is.

    Raises:
        requests.RequestException: There is no answer.
    """
    response = requests.request(
        exchange.method,
        url.rstrip("/") + exchange.path,
        files=exchange.files,
        data=exchange.data,
        headers=exchange.headers,
        timeout=REQUEST_SECONDS,
    )
    try:
        answer = exchange.view(response.json())
    except (ValueError, KeyError, TypeError, IndexError):
        answer = response.text[:200]
    got = (response.status_code, answer, response.headers.get("X-Failed-Images", ""))
    wanted = (exchange.status, exchange.answer, exchange.failed)
    if got != wanted:
        return f"answered {got}, expected {wanted}"
    if "Access-Control-Allow-Origin" not in response.headers:
        return "answered without Access-Control-Allow-Origin"
    return ""


def child_resources() -> Resources | None:
    """Count the resources of all child processes; None where there is no /proc."""
    if not Path("/proc/self/fd").exists():
        return None
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found: set[int] = set()
    wanted = {os.getpid()}
    while wanted:
        wanted = {pid for pid, parent in parents.items() if parent in wanted}
        found |= wanted
    return Resources(len(found), sum(map(_descriptors, found)))


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:  # The process has just ended.
        return 0


def _leaked(before: Resources) -> Resources | None:
    """Return the resources held in addition to `before`, once the last connections are closed."""
    end = time.monotonic() + SETTLE_SECONDS
    while (after := child_resources()) is not None:
        leaked = Resources(
            max(0, after.processes - before.processes),
            max(0, after.descriptors - before.descriptors),
        )
        if leaked == Resources(0, 0) or time.monotonic() > end:
            return leaked
        time.sleep(0.1)
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.load",
        description="Load the API with valid and invalid requests and check every answer.",
    )
    parser.add_argument(
        "--requests", type=int, default=5000, help="number of requests (default: 5000)"
    )
    parser.add_argument(
        "--clients", type=int, default=8, help="number of concurrent clients (default: 8)"
    )
    parser.add_argument(
        "--seconds", type=float, default=1200, help="stop after this time (default: 1200)"
    )
    parser.add_argument("--url", help="address of a running API, such as http://127.0.0.1:3000")
    return parser


if __name__ == "__main__":
    sys.exit(main())
