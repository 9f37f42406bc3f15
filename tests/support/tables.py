"""Tables of Markdown documents, for tests that hold them to the code."""

from __future__ import annotations

import re


def cells(text: str, *headings: str) -> list[list[str]]:
    """The rows of the table with these first headings, cell by cell."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {' | '.join(headings)}"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def quoted(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)
