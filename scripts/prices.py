"""Print what pictures cost by each way to send them, item by item.

    python -m scripts.prices    # prints the tables of docs/scale.md

Prices are us-east-1's list prices as published copies of 2025-26 give them, before any free tier.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from scripts.cost import DOLLARS_PER_GB_SECOND, FRONT_DOOR_DOLLARS, LAMBDA_DOLLARS, billed_ms

DOLLARS_PER_MILLION = {
    "Lambda request": LAMBDA_DOLLARS,
    "API Gateway REST request": FRONT_DOOR_DOLLARS["rest"],
    "API Gateway HTTP request": FRONT_DOOR_DOLLARS["http"],
    "Function URL request": FRONT_DOOR_DOLLARS["url"],
    "S3 GET": 0.40,
    "S3 PUT or LIST": 5.00,
    "SQS request": 0.40,
    "Step Functions transition": 25.00,
}
TRANSITIONS_PER_BATCH = 2
"""One starts the child execution, one is its only state."""

KEYS_PER_LIST = 1000
MESSAGES_PER_CALL = 10
"""If many pictures arrive. A quiet queue invokes the function for each message."""

BATCH = 100
CORE_MS = 20.0
"""Time of one picture on a core, from `python -m scripts.cost` (docs/deploy.md)."""

MEMORY_MB = 1769
VOLUMES = (1_000_000, 10_000_000, 100_000_000)
FRONT_DOORS = {
    "rest": "API Gateway REST request",
    "http": "API Gateway HTTP request",
    "url": "Function URL request",
}
Items = dict[str, float]


def per_million(name: str, count: float) -> float:
    """Return the dollars of a number of requests."""
    return count / 1e6 * DOLLARS_PER_MILLION[name]


def time_dollars(
    pictures: float, core_ms: float = CORE_MS, memory_mb: int = MEMORY_MB, arch: str = "arm64"
) -> float:
    """Return the dollars of Lambda's time for pictures that take `core_ms` of a core each."""
    gb_seconds = pictures * memory_mb / 1024 * billed_ms(core_ms, memory_mb) / 1000
    return gb_seconds * DOLLARS_PER_GB_SECOND[arch]


def api_dollars(
    pictures: int, core_ms: float = CORE_MS, per_request: int = 1, front_door: str = "rest"
) -> Items:
    """Return the dollars by item for pictures by HTTP, in requests of up to 512 KB."""
    requests = pictures / per_request
    return {
        "front door": per_million(FRONT_DOORS[front_door], requests),
        "Lambda requests": per_million("Lambda request", requests),
        "Lambda time": time_dollars(pictures, core_ms),
    }


def bulk_dollars(pictures: int, core_ms: float = CORE_MS, batch: int = BATCH) -> Items:
    """Return the dollars by item for pictures by the state machine, if nothing fails.

    Each picture is read once. Each batch checks once for an earlier result, and writes once.
    """
    batches = pictures / batch
    return {
        "Step Functions": per_million("Step Functions transition", batches * TRANSITIONS_PER_BATCH),
        "S3 reads": per_million("S3 GET", pictures + batches),
        "S3 writes and lists": per_million("S3 PUT or LIST", batches + pictures / KEYS_PER_LIST),
        "Lambda requests": per_million("Lambda request", batches),
        "Lambda time": time_dollars(pictures, core_ms),
    }


def arrival_dollars(pictures: int, core_ms: float = CORE_MS) -> Items:
    """Return the dollars by item by the queue: a message, two reads and a write per picture."""
    calls = pictures / MESSAGES_PER_CALL
    return {
        "SQS": per_million("SQS request", pictures + 2 * calls),
        "S3 reads": per_million("S3 GET", 2 * pictures),
        "S3 writes": per_million("S3 PUT or LIST", pictures),
        "Lambda requests": per_million("Lambda request", calls),
        "Lambda time": time_dollars(pictures, core_ms),
    }


def rerun_dollars(pictures: int, batch: int = BATCH) -> Items:
    """Return the dollars by item to find the pictures without a result."""
    return {
        "S3 lists": per_million("S3 PUT or LIST", pictures / KEYS_PER_LIST),
        "S3 reads": per_million("S3 GET", pictures / batch),
    }


def table() -> str:
    """Return the prices by way and volume, in Markdown."""
    ways: dict[str, Callable[[int], Items]] = {
        "`rest`, one picture per request": api_dollars,
        "`http`, one picture per request": partial(api_dollars, front_door="http"),
        "`url`, one picture per request": partial(api_dollars, front_door="url"),
        "`rest`, ten pictures per request": partial(api_dollars, per_request=10),
        "as they arrive (queue)": arrival_dollars,
        "archive (state machine)": bulk_dollars,
        "archive, finding pictures without a result": rerun_dollars,
    }
    heads = " | ".join(f"{volume // 1_000_000} million" for volume in VOLUMES)
    lines = [f"| way | {heads} |", "|---|" + "---|" * len(VOLUMES)]
    for name, dollars in ways.items():
        cells = " | ".join(f"${sum(dollars(volume).values()):,.2f}" for volume in VOLUMES)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def breakdown(dollars: Items) -> str:
    """Return the items of one way, in Markdown."""
    rows = [f"| {name} | ${value:,.3f} |" for name, value in dollars.items()]
    return "\n".join(["| item | per million pictures |", "|---|---|", *rows])


def main() -> None:
    """Print the tables."""
    print(table())
    print()
    print(breakdown(bulk_dollars(1_000_000)))


if __name__ == "__main__":
    main()
