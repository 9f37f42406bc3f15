"""The terminal output of the function's processes, in a form for people.

On AWS the function logs JSON, one object per line. Here such a line becomes `LEVEL: message`.
"""

from __future__ import annotations

import json
import re
import sys
from typing import IO

RUNTIME_LINE = re.compile(r"(START|END|REPORT) RequestId: ")
"""Lines that AWS's emulator writes for every request."""

SELF_EXPLANATORY = ("ModelUnavailable",)
"""Errors whose message says what is wrong, so that no traceback is needed."""


def forward(stream: IO[bytes], *, verbose: bool) -> None:
    """Copy a process's output to standard error until it ends.

    Args:
        stream: Output of the process.
        verbose: Copy the lines unchanged.
    """
    with stream:
        for line in stream:
            text = line.decode(errors="replace")
            print(text if verbose else readable(text), end="", file=sys.stderr, flush=True)


def readable(line: str) -> str:
    """Return a line of the log for people; "" for a line of the runtime itself.

    Lines that are no log records in JSON stay unchanged.
    """
    if RUNTIME_LINE.match(line):
        return ""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not (isinstance(record, dict) and {"level", "message"} <= set(record)):
        return line
    text = f"{record['level']}: {record['message']}"
    if error := record.get("errorType"):
        if error in SELF_EXPLANATORY:
            return f"{text}: {record['errorMessage']}\n"
        trace = "".join(record.get("stackTrace", ()))
        text += f"\nTraceback (most recent call last):\n{trace}{error}: {record['errorMessage']}"
    return f"{text}\n"
