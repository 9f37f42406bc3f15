"""Run one contestant in its own process, controlled by lines of JSON on standard input.

    python -m benchmarks.worker ours|ours@PATH|naive|limit

It prints `{"ready": ...}` once the models are loaded, then answers one line per command:

    {"do": "prepare", "route", "content_type", "body": path, "pictures": [paths]}
    {"do": "run", "times": n}  -> {"times": [[wall ms, processor ms], ...]}
    {"do": "answer"}           -> {"answer": the parsed JSON body}
    {"do": "memory"}           -> {"rss": bytes, "peak": bytes}

Building an event and parsing an answer are not timed. Processor time is that of all threads. Only
the standard library is imported besides the contestant, so the memory is the contestant's.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

STATUS = Path("/proc/self/status")
Command = dict[str, Any]


@dataclass(slots=True)
class Contest:
    """The timed call, and the work before and after it.

    Attributes:
        prepare: Returns, for a command's fields, a function that builds the argument of one call.
        run: The timed call.
        answer: Returns the parsed answer for the call's result.
    """

    prepare: Callable[[Command], Callable[[], Any]]
    run: Callable[[Any], Any]
    answer: Callable[[Any], Any]


def load(name: str) -> Contest:
    """Import a contestant, which loads its models.

    Raises:
        KeyError: No contestant has that name.
    """
    if name == "limit":
        from benchmarks.contestants.limit import Limit

        limit = Limit()
        return Contest(_pictures, limit.run, limit.answer)
    name, _, tree = name.partition("@")
    if tree:
        sys.path.insert(0, tree)
    modules = {"ours": "benchmarks.contestants.ours", "naive": "benchmarks.contestants.naive"}
    handler = importlib.import_module(modules[name]).handler
    return Contest(rest_events, lambda event: handler(event, None), parsed_answer)


def _pictures(command: Command) -> Callable[[], list[bytes]]:
    contents = [Path(path).read_bytes() for path in command["pictures"]]
    return lambda: contents


def rest_events(command: Command) -> Callable[[], dict[str, Any]]:
    """Return a function that builds the event of a prepared case."""
    body = base64.b64encode(Path(command["body"]).read_bytes()).decode()
    return lambda: proxy_event(command["route"], command["content_type"], body)


def proxy_event(route: str, content_type: str, body: str) -> dict[str, Any]:
    """Return the event that API Gateway (REST) sends for a POST.

    Args:
        route: The path.
        content_type: The request's header.
        body: The body in base64.
    """
    return {
        "resource": route,
        "path": route,
        "httpMethod": "POST",
        "headers": {"Content-Type": content_type, "Accept": "*/*"},
        "multiValueHeaders": {"Content-Type": [content_type], "Accept": ["*/*"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "benchmark", "stage": "Prod"},
        "body": body,
        "isBase64Encoded": True,
    }


def parsed_answer(response: dict[str, Any]) -> Any:  # noqa: ANN401  a JSON answer
    """Return the parsed JSON body; exit if the status is not 200."""
    if response["statusCode"] != 200:
        raise SystemExit(
            f"a contestant answered {response['statusCode']}: {response['body'][:500]}"
        )
    return json.loads(response["body"])


def memory() -> dict[str, int]:
    """Return resident bytes of this process, current and maximum."""
    found = dict(re.findall(r"(VmHWM|VmRSS):\s+(\d+) kB", STATUS.read_text()))
    return {"rss": int(found["VmRSS"]) * 1024, "peak": int(found["VmHWM"]) * 1024}


def serve(contest: Contest, commands: TextIO, replies: TextIO) -> None:
    """Answer commands until the input ends."""
    argument: Callable[[], Any] = list
    for line in commands:
        command = json.loads(line)
        reply: Command = {}
        match command["do"]:
            case "prepare":
                argument = contest.prepare(command)
            case "run":
                reply = {
                    "times": [_timed(contest.run, argument()) for _ in range(command["times"])]
                }
            case "answer":
                reply = {"answer": contest.answer(contest.run(argument()))}
            case "memory":
                reply = dict(memory())
        print(json.dumps(reply), file=replies, flush=True)


def _timed(call: Callable[[Any], Any], argument: object) -> tuple[float, float]:
    started, used = time.perf_counter(), time.process_time()
    call(argument)
    return (time.perf_counter() - started) * 1000, (time.process_time() - used) * 1000


def main() -> None:
    """Load the contestant of the command line and serve it."""
    # Keep a contestant's output apart from the replies.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    contest = load(sys.argv[1])
    print(json.dumps({"ready": memory()}), file=replies, flush=True)
    serve(contest, sys.stdin, replies)


if __name__ == "__main__":
    main()
