"""Reads tables of Markdown documents, for tests that compare them with the code."""

from __future__ import annotations

import re


def cells(text: str, *headings: str) -> list[list[str]]:
    """Return the rows of the table that starts with these headings, as lists of cells."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {' | '.join(headings)}"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def quoted(text: str) -> list[str]:
    """Return the texts in backticks."""
    return re.findall(r"`([^`]+)`", text)
