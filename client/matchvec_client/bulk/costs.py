"""Costs of archives, at us-east-1's list prices of 2025-26."""

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
"""Transitions per batch: one starts the child execution, one runs its only state."""
KEYS_PER_LIST = 1000
PICTURE_GB_SECONDS = 0.020 * 1769 / 1024
"""GB-seconds per picture: 20 ms on one core of a function with 1,769 MB (docs/costs.md)."""


def planned(pictures: int, batch: int) -> float:
    """Return the dollars for a run on arm64 without failures.

    Args:
        pictures: Number of pictures.
        batch: Pictures per batch.
    """
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
    """Return the dollars of a run so far: transitions, requests and the function's time.

    The function's time includes retries; their transitions are not known.

    Args:
        items: `itemCounts` of Step Functions' DescribeMapRun.
        batches: Its `executionCounts`.
        busy_ms: Run time of the function in milliseconds.
        memory_mb: Memory of the function in MB.
        architecture: ``arm64`` or ``x86_64``.
    """
    begun = batches["total"] - batches["pending"]
    ended = items["total"] - items["pending"]
    gb_seconds = memory_mb / 1024 * busy_ms / 1000
    return _dollars(begun, ended, items["total"]) + gb_seconds * DOLLARS_PER_GB_SECOND[architecture]


def in_dollars(amount: float) -> str:
    """Format an amount to the cent."""
    return f"${amount:,.2f}"


def _dollars(batches: float, read: float, listed: float) -> float:
    """Return the dollars without the function's time.

    Each picture is read once. Each batch reads its previous rows and writes once.
    """
    counts = {
        "Step Functions transition": batches * TRANSITIONS_PER_BATCH,
        "Lambda request": batches,
        "S3 GET": read + batches,
        "S3 PUT or LIST": batches + listed / KEYS_PER_LIST,
    }
    return sum(count / 1e6 * DOLLARS_PER_MILLION[name] for name, count in counts.items())
