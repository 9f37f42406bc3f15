"""What archives cost, by us-east-1's list prices as published copies of 2025-26 give them."""

from __future__ import annotations

from collections.abc import Mapping

DOLLARS_PER_MILLION = {
    "Lambda request": 0.20,
    "S3 GET": 0.40,
    "S3 PUT or LIST": 5.00,
    "Step Functions transition": 25.00,
}
DOLLARS_PER_GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
TRANSITIONS_PER_BATCH = 2
"""One that starts the child execution, one for its only state."""
KEYS_PER_LIST = 1000
PICTURE_GB_SECONDS = 0.088
"""Of a function with 2 GB, for a picture that takes 44 ms on a core (docs/deploy.md)."""


def planned(pictures: int, batch: int) -> float:
    """Dollars for so many pictures in batches of so many, on arm64, where nothing fails."""
    return _dollars(pictures / batch, pictures, pictures) + (
        pictures * PICTURE_GB_SECONDS * DOLLARS_PER_GB_SECOND["arm64"]
    )


def spent(
    items: Mapping[str, int],
    batches: Mapping[str, int],
    busy_ms: float,
    memory_mb: int,
    architecture: str,
) -> float:
    """Dollars of a run: its batches' transitions and requests, and the function's time.

    Retries are in the function's time; of their transitions nothing is known here.

    Args:
        items: `itemCounts` of Step Functions' DescribeMapRun.
        batches: Its `executionCounts`.
        busy_ms: The function's time, in milliseconds.
        memory_mb: The function's.
        architecture: The function's.
    """
    begun = batches["total"] - batches["pending"]
    ended = items["total"] - items["pending"]
    gb_seconds = memory_mb / 1024 * busy_ms / 1000
    return _dollars(begun, ended, items["total"]) + gb_seconds * DOLLARS_PER_GB_SECOND[architecture]


def in_dollars(amount: float) -> str:
    """An amount to the cent."""
    return f"${amount:,.2f}"


def _dollars(batches: float, read: float, listed: float) -> float:
    """All but the function's time.

    Each picture is read once. Each batch looks whether it was answered before, and writes once.
    """
    counts = {
        "Step Functions transition": batches * TRANSITIONS_PER_BATCH,
        "Lambda request": batches,
        "S3 GET": read + batches,
        "S3 PUT or LIST": batches + listed / KEYS_PER_LIST,
    }
    return sum(count / 1e6 * DOLLARS_PER_MILLION[name] for name, count in counts.items())
