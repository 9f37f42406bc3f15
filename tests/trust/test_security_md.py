"""SECURITY.md promises nothing that no test holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISES = {
    promise.strip(): re.findall(r"`(tests/[^`]+)`", held_by)
    for promise, held_by in re.findall(r"^\| ([^|]+) \| (`tests[^|]+) \|$", SECURITY, re.MULTILINE)
}


@pytest.mark.parametrize("tests", PROMISES.values(), ids=PROMISES)
def test_a_promise_is_held_by_tests_that_exist(tests: list[str]) -> None:
    assert tests
    for name in tests:
        path, _, function = name.partition("::")
        module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert function in {
            node.name for node in module.body if isinstance(node, ast.FunctionDef)
        }, name


def test_every_row_is_such_a_promise() -> None:
    rows = [line for line in SECURITY.splitlines() if line.startswith("| ")]
    headings = SECURITY.count("| promise | held by |")

    assert headings == 7
    assert len(PROMISES) == len(rows) - headings
