"""Load the API with good and bad requests and check every answer: `python -m scripts.load`.

    python -m scripts.load [--requests 5000] [--clients 8] [--seconds 1200] [--url URL]

The clients send real HTTP and compare each answer with what its kind of request must get
(scripts/load_kinds.py). Without --url the local API is started and stopped again, and what its
processes hold is counted before and after. Ends with 1 if an answer was wrong or missing, or if
anything leaked.
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
from scripts.load_kinds import KINDS, Exchange

REQUEST_SECONDS = 60.0
SETTLE_SECONDS = 5.0
"""How long the last connections may take to close."""
WARM_UP_ROUNDS = 2
"""Each client's, of all kinds, before anything is counted: processes start when first needed."""
MAX_SHOWN = 10


@dataclass(slots=True)
class Tally:
    """What came of the requests.

    Attributes:
        seconds: How long each answer took.
        errors: Requests without an answer.
        wrong: Answers other than the right one.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many were sent."""
        return len(self.seconds) + len(self.errors)

    def milliseconds(self, share: float) -> float:
        """Within which that share of the answers came, 0..1."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


@dataclass(frozen=True, slots=True)
class Held:
    """What the processes below this one hold."""

    processes: int
    descriptors: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load test; 0 when every answer was right and nothing leaked."""
    options = _parser().parse_args(arguments)
    try:
        with nullcontext(options.url) if options.url else local_api() as url:
            load(url, options.clients, options.clients * WARM_UP_ROUNDS * len(KINDS), 600)
            before = None if options.url else held_by_children()
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
    is_right = not (tally.errors or tally.wrong or (leaked and leaked != Held(0, 0)))
    return 0 if is_right and is_complete else 1


def load(url: str, clients: int, number: int, seconds: float) -> Tally:
    """Send so many requests, in turn of each kind, or as many as there is time for."""
    tally = Tally()
    numbers = count()
    lock = threading.Lock()
    end = time.monotonic() + seconds
    kinds = list(KINDS.items())

    def client() -> None:
        while time.monotonic() < end:
            with lock:
                mine = next(numbers)
            if mine >= number:
                return
            name, kind = kinds[mine % len(kinds)]
            start = time.monotonic()
            try:
                complaint = ask(url, kind(mine))
            except requests.RequestException as error:
                tally.errors.append(f"{name}: {type(error).__name__}: {error}")
                continue
            tally.seconds.append(time.monotonic() - start)
            if complaint:
                tally.wrong.append(f"{name}: {complaint}")

    with ThreadPoolExecutor(clients) as pool:
        for running in [pool.submit(client) for _ in range(clients)]:
            running.result()
    return tally


def ask(url: str, exchange: Exchange) -> str:
    """Send one request; what is wrong with its answer, "" where nothing is.

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
        return f"answered {got}, not {wanted}"
    if "Access-Control-Allow-Origin" not in response.headers:
        return "answered without CORS"
    return ""


def held_by_children() -> Held | None:
    """What the processes below this one hold; None where there is no Linux to ask."""
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
    return Held(len(found), sum(map(_descriptors, found)))


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:  # It has just ended.
        return 0


def _leaked(before: Held) -> Held | None:
    """What is held more than before, once the last connections are closed."""
    end = time.monotonic() + SETTLE_SECONDS
    while (after := held_by_children()) is not None:
        leaked = Held(
            max(0, after.processes - before.processes),
            max(0, after.descriptors - before.descriptors),
        )
        if leaked == Held(0, 0) or time.monotonic() > end:
            return leaked
        time.sleep(0.1)
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.load",
        description="Load the API with good and bad requests and check every answer.",
    )
    parser.add_argument("--requests", type=int, default=5000, help="how many (default: 5000)")
    parser.add_argument("--clients", type=int, default=8, help="at the same time (default: 8)")
    parser.add_argument(
        "--seconds", type=float, default=1200, help="stop after this time (default: 1200)"
    )
    parser.add_argument("--url", help="an API that runs already, such as http://127.0.0.1:3000")
    return parser


if __name__ == "__main__":
    sys.exit(main())
