"""Format the tables that a build prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.package.prune import Saving, tree_size

LAMBDA_LIMIT_BYTES = 262_144_000
"""Lambda's limit for an unzipped function with its layers, in bytes
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""


def savings_table(savings: Sequence[Saving]) -> str:
    """Return a table of the bytes that each rule removed, with its reason."""
    rows = [(f"{saving.size:,}", saving.name, saving.reason) for saving in savings]
    total = sum(saving.size for saving in savings)
    return _table(("bytes saved", "by", "because"), [*rows, (f"{total:,}", "all of them", "")])


def contents_table(root: Path, limit: int) -> str:
    """Return a table of the package's contents, largest first, with the distance to its limits."""
    sizes = sorted(((tree_size(path), path.name) for path in root.iterdir()), reverse=True)
    total = tree_size(root)
    rows = [(f"{size:,}", name) for size, name in sizes]
    rows += [
        (f"{total:,}", "in all"),
        (f"{limit:,}", "is the limit of this project, without models"),
        (f"{LAMBDA_LIMIT_BYTES:,}", "is Lambda's"),
    ]
    return _table(("bytes", "of"), rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Align the columns to their widest cells; the first column is right-aligned."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column == 0 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )
