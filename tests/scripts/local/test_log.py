from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from scripts.local.log import forward, readable
from scripts.local.plain_emulator import JsonFormatter

RECORD = {"timestamp": "2026-11-27T03:30:55Z", "level": "ERROR", "message": "request 1 failed"}
TRACE = {"stackTrace": ['  File "a.py", line 3, in b\n'], "errorMessage": "no c"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("START RequestId: 1 Version: $LATEST\n", ""),
        ("END RequestId: 1\n", ""),
        ("REPORT RequestId: 1\tDuration: 2.00 ms\n", ""),
        ("printed by the function\n", "printed by the function\n"),
        ("[1, 2]\n", "[1, 2]\n"),
        ('{"_aws": {}, "Pictures": 1}\n', '{"_aws": {}, "Pictures": 1}\n'),
        (json.dumps(RECORD), "ERROR: request 1 failed\n"),
        (
            json.dumps({**RECORD, **TRACE, "errorType": "ModelUnavailable"}),
            "ERROR: request 1 failed: no c\n",
        ),
        (
            json.dumps({**RECORD, **TRACE, "errorType": "KeyError"}),
            "ERROR: request 1 failed\nTraceback (most recent call last):\n"
            '  File "a.py", line 3, in b\nKeyError: no c\n',
        ),
    ],
    ids=[
        *("start", "end", "report", "text", "json", "metrics"),
        *("record", "model unavailable", "other error"),
    ],
)
def test_readable(line: str, shown: str) -> None:
    assert readable(line) == shown


@pytest.mark.parametrize(
    ("verbose", "shown"), [(True, "END RequestId: 1\na \ufffd\n"), (False, "a \ufffd\n")]
)
def test_forward(verbose: bool, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    forward(io.BytesIO(b"END RequestId: 1\na \xff\n"), verbose=verbose)
    assert capsys.readouterr().err == shown


def test_the_plain_emulators_records_are_readable() -> None:
    try:
        raise KeyError("c")
    except KeyError:
        record = logging.LogRecord("a", 40, "a.py", 1, "part %d", (2,), sys.exc_info())
    lines = readable(JsonFormatter().format(record)).splitlines()
    assert lines[:2] == ["ERROR: part 2", "Traceback (most recent call last):"]
    assert lines[-1] == "KeyError: 'c'"
