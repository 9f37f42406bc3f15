"""What pictures cost by each of the three doors, item by item.

    python -m scripts.prices    # prints the table of docs/scale.md

Prices are us-east-1's list prices as published copies of 2025-26 give them, before any free tier.
"""

from __future__ import annotations

from collections.abc import Callable

from scripts.cost import DOLLARS_PER_GB_SECOND, billed_ms

DOLLARS_PER_MILLION = {
    "Lambda request": 0.20,
    "API Gateway REST request": 3.50,
    "S3 GET": 0.40,
    "S3 PUT or LIST": 5.00,
    "SQS request": 0.40,
    "Step Functions transition": 25.00,
}
TRANSITIONS_PER_BATCH = 2
"""One that starts the child execution, one for its only state."""

KEYS_PER_LIST = 1000
MESSAGES_PER_CALL = 10
"""Where many pictures arrive; a quiet queue calls the function for each."""

BATCH = 100
CORE_MS = 44.0
"""One picture's time on a core, as docs/deploy.md has it from `python -m scripts.cost`."""

MEMORY_MB = 2048
VOLUMES = (1_000_000, 10_000_000, 100_000_000)
Items = dict[str, float]


def per_million(name: str, count: float) -> float:
    """Dollars of so many requests."""
    return count / 1e6 * DOLLARS_PER_MILLION[name]


def time_dollars(
    pictures: float, core_ms: float = CORE_MS, memory_mb: int = MEMORY_MB, arch: str = "arm64"
) -> float:
    """Dollars of Lambda's time for so many pictures, `core_ms` on a core of its own each."""
    gb_seconds = pictures * memory_mb / 1024 * billed_ms(core_ms, memory_mb) / 1000
    return gb_seconds * DOLLARS_PER_GB_SECOND[arch]


def api_dollars(pictures: int, core_ms: float = CORE_MS, per_request: int = 1) -> Items:
    """By HTTP, so many pictures per request."""
    requests = pictures / per_request
    return {
        "API Gateway": per_million("API Gateway REST request", requests),
        "Lambda requests": per_million("Lambda request", requests),
        "Lambda time": time_dollars(pictures, core_ms),
    }


def bulk_dollars(pictures: int, core_ms: float = CORE_MS, batch: int = BATCH) -> Items:
    """By the state machine, over a prefix, where nothing fails.

    Each picture is read once. Each batch looks whether it was answered before, and writes once.
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
    """By the queue: a message, an object read, a look for earlier rows, and a row each."""
    calls = pictures / MESSAGES_PER_CALL
    return {
        "SQS": per_million("SQS request", pictures + 2 * calls),
        "S3 reads": per_million("S3 GET", 2 * pictures),
        "S3 writes": per_million("S3 PUT or LIST", pictures),
        "Lambda requests": per_million("Lambda request", calls),
        "Lambda time": time_dollars(pictures, core_ms),
    }


def rerun_dollars(pictures: int, batch: int = BATCH) -> Items:
    """To find out what is missing of so many pictures: lists, and the rows there are."""
    return {
        "S3 lists": per_million("S3 PUT or LIST", pictures / KEYS_PER_LIST),
        "S3 reads": per_million("S3 GET", pictures / batch),
    }


def table() -> str:
    """The doors side by side, in Markdown."""
    doors: dict[str, Callable[[int], Items]] = {
        "API, one picture per request": api_dollars,
        "API, ten pictures per request": lambda pictures: api_dollars(pictures, per_request=10),
        "as they arrive (queue)": arrival_dollars,
        "archive (state machine)": bulk_dollars,
        "archive, looking for what is missing": rerun_dollars,
    }
    heads = " | ".join(f"{volume // 1_000_000} million" for volume in VOLUMES)
    lines = [f"| door | {heads} |", "|---|" + "---|" * len(VOLUMES)]
    for name, dollars in doors.items():
        cells = " | ".join(f"${sum(dollars(volume).values()):,.2f}" for volume in VOLUMES)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def breakdown(dollars: Items) -> str:
    """A door's items, in Markdown."""
    rows = [f"| {name} | ${value:,.3f} |" for name, value in dollars.items()]
    return "\n".join(["| item | per million pictures |", "|---|---|", *rows])


def main() -> None:
    """Print the tables."""
    print(table())
    print()
    print(breakdown(bulk_dollars(1_000_000)))


if __name__ == "__main__":
    main()
