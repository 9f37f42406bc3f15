"""The tables that a build prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.package.prune import Saving, tree_size

LAMBDA_LIMIT_BYTES = 262_144_000
"""Of a function unzipped, layers included
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""


def savings_table(savings: Sequence[Saving]) -> str:
    """What each rule took away, and why nothing misses it."""
    rows = [(f"{saving.size:,}", saving.name, saving.reason) for saving in savings]
    total = sum(saving.size for saving in savings)
    return _table(("bytes saved", "by", "because"), [*rows, (f"{total:,}", "all of them", "")])


def contents_table(root: Path, limit: int) -> str:
    """What the package is made of, the largest first, and how near it is to its limits."""
    sizes = sorted(((tree_size(path), path.name) for path in root.iterdir()), reverse=True)
    total = tree_size(root)
    rows = [(f"{size:,}", name) for size, name in sizes]
    rows += [
        (f"{total:,}", "in all"),
        (f"{limit:,}", "is the limit of this project"),
        (f"{LAMBDA_LIMIT_BYTES:,}", "is Lambda's"),
    ]
    return _table(("bytes", "of"), rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell; numbers, in the first one, end at its right edge."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column == 0 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )
