"""Print what a million pictures cost on AWS, from the time of one picture.

    python -m scripts.cost            # measures the time here, with the sample pictures
    python -m scripts.cost --ms 60    # takes the time as given
    python -m scripts.cost --worst    # prints the worst bill of a day, by limit

The output is the tables of docs/costs.md. The measured time is the handler's processor time from
the event to the answer, at one picture per request. Other programs on the machine hardly change it.

Lambda gives processor time in proportion to memory, one core at 1769 MB
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html), so with less memory a
picture takes longer in proportion. More memory helps only requests with several pictures: one
picture keeps one core busy, and several share the cores.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import time
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
PRICES_OF = "2026-11-22"
"""us-east-1, list prices as published copies of 2025-26 give them, before any free tier."""
LAMBDA_DOLLARS = 0.20
"""Price of a million Lambda requests."""
FRONT_DOOR_DOLLARS = {"rest": 3.50, "http": 1.00, "url": 0.00}
"""Price of a million requests of up to 512 KB, by front door."""
HTTP_UNIT_BYTES = 512 * 1024
"""An HTTP API counts a larger request as several."""
LARGE_BYTES = 2_000_000
"""Size of a request with one large photograph."""
DOLLARS_PER_GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
MB_PER_CORE = 1769
MEMORY_MB = (512, 1024, 1769, 2048, 3008)
DEFAULT_MB = 1769
ROUNDS = 15
DAY_SECONDS = 86_400
WORST_SECONDS = 10.0
"""Seconds of one core of the longest request at the default limits (SECURITY.md)."""
ORDINARY_SECONDS = 0.020
"""Seconds of one core of a request with one photograph."""
THROTTLED_PER_SECOND, WAF_PER_5_MINUTES, API_KEY_QUOTA = 20, 2000, 10_000
"""Defaults of ThrottlingRateLimit, WafRateLimit and ApiKeyDailyQuota in template.yaml."""


def billed_ms(core_ms: float, memory_mb: int) -> float:
    """Return the billed time of a picture that takes `core_ms` on a core of its own."""
    return core_ms * max(1.0, MB_PER_CORE / memory_mb)


def time_dollars(core_ms: float, memory_mb: int, architecture: str) -> float:
    """Return the price of the Lambda time of a million pictures."""
    gb_seconds = 1e6 * memory_mb / 1024 * billed_ms(core_ms, memory_mb) / 1000
    return gb_seconds * DOLLARS_PER_GB_SECOND[architecture]


def front_door_dollars(front_door: str, request_bytes: int = 0) -> float:
    """Return the price of a million requests of that size at a front door."""
    dollars = FRONT_DOOR_DOLLARS[front_door]
    units = max(1, -(-request_bytes // HTTP_UNIT_BYTES)) if front_door == "http" else 1
    return dollars * units


def dollars_per_million(
    core_ms: float, memory_mb: int, architecture: str, front_door: str = "rest"
) -> float:
    """Return the price of a million requests with one picture each: Lambda and front door."""
    requests = LAMBDA_DOLLARS + front_door_dollars(front_door)
    return time_dollars(core_ms, memory_mb, architecture) + requests


def table(core_ms: float) -> str:
    """Return the prices by memory size and front door, in Markdown."""
    lines = [
        "| memory, MB | time, ms | rest, arm64 | http, arm64 | url, arm64 | rest, x86_64 "
        "| http, x86_64 | url, x86_64 |",
        "|" + "---|" * 8,
    ]
    for memory_mb in MEMORY_MB:
        dollars = " | ".join(
            f"${dollars_per_million(core_ms, memory_mb, architecture, front_door):.2f}"
            for architecture in DOLLARS_PER_GB_SECOND
            for front_door in FRONT_DOOR_DOLLARS
        )
        lines.append(f"| {memory_mb} | {billed_ms(core_ms, memory_mb):.0f} | {dollars} |")
    return "\n".join(lines)


def front_door_table(core_ms: float) -> str:
    """Return the items of the price by front door, at the default memory on arm64, in Markdown."""
    lines = [
        "| front door | requests at the front door | requests at Lambda | Lambda time | together "
        "| with requests of 2 MB |",
        "|---|---|---|---|---|---|",
    ]
    for front_door, dollars in FRONT_DOOR_DOLLARS.items():
        time_price = time_dollars(core_ms, DEFAULT_MB, "arm64")
        total = dollars_per_million(core_ms, DEFAULT_MB, "arm64", front_door)
        large = total - dollars + front_door_dollars(front_door, LARGE_BYTES)
        lines.append(
            f"| `{front_door}` | ${dollars:.2f} | ${LAMBDA_DOLLARS:.2f} | ${time_price:.2f} "
            f"| ${total:.2f} | ${large:.2f} |"
        )
    return "\n".join(lines)


def day_dollars(
    requests: float, core_seconds: float = WORST_SECONDS, memory_mb: int = DEFAULT_MB
) -> float:
    """Return the price of a day with so many requests, at the REST API on arm64."""
    per_million = time_dollars(1000 * core_seconds, memory_mb, "arm64")
    return requests / 1e6 * (per_million + LAMBDA_DOLLARS + FRONT_DOOR_DOLLARS["rest"])


def worst_table() -> str:
    """Return the worst bill of a day under each limit, in Markdown.

    Every request takes the most time that the limits allow.
    """
    billed_seconds = billed_ms(1000 * WORST_SECONDS, DEFAULT_MB) / 1000
    rows = {
        "the defaults, from many addresses": THROTTLED_PER_SECOND * DAY_SECONDS,
        "the defaults, from one address (`WafRateLimit=2000`)": WAF_PER_5_MINUTES
        * DAY_SECONDS
        / 300,
        "`ThrottlingRateLimit=5`": 5 * DAY_SECONDS,
        "`ReservedConcurrency=10`": 10 * DAY_SECONDS / billed_seconds,
        "`RequireApiKey=true` (`ApiKeyDailyQuota=10000`)": API_KEY_QUOTA,
    }
    lines = ["| limits | requests | dollars a day |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {count:,.0f} | ${day_dollars(count):,.0f} |" for name, count in rows.items()
    ]
    ordinary = day_dollars(THROTTLED_PER_SECOND * DAY_SECONDS, ORDINARY_SECONDS)
    count = THROTTLED_PER_SECOND * DAY_SECONDS
    lines.append(f"| the defaults, ordinary pictures | {count:,.0f} | ${ordinary:,.0f} |")
    return "\n".join(lines)


def measure_ms() -> float:
    """Return the median processor time of `/predict` with one sample picture, in milliseconds."""
    from hooks.pre_traffic import proxy_event
    from lambda_function import lambda_handler_classification as handler

    times = []
    for picture in sorted(SAMPLES.glob("*.jpg")) * ROUNDS:
        event = proxy_event(
            "POST",
            "/predict",
            headers={"Content-Type": "image/jpeg"},
            body=base64.b64encode(picture.read_bytes()).decode(),
            isBase64Encoded=True,
        )
        start = time.process_time()
        answer = handler(event, None)
        times.append((time.process_time() - start) * 1000)
        if answer["statusCode"] != 200:
            raise SystemExit(f"{picture.name}: {answer}")
    return statistics.median(times)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="What a million pictures cost on AWS.")
    parser.add_argument("--ms", type=float, help="time of one picture on one core, milliseconds")
    parser.add_argument("--worst", action="store_true", help="print the worst bill of a day")
    arguments = parser.parse_args()
    if arguments.worst:
        print(worst_table())
        return
    core_ms = arguments.ms or measure_ms()
    print(f"One picture: {core_ms:.0f} ms on one core. Prices of {PRICES_OF}, us-east-1.\n")
    print(front_door_table(core_ms))
    print()
    print(table(core_ms))


if __name__ == "__main__":
    main()
