"""SECURITY.md promises nothing that no test holds: a promise and its tests have the same mark."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.tables import quoted

ROOT = Path(__file__).parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISES = [quoted(mark) for mark in re.findall(r"^\| .+ \| (`[a-z0-9-]+`) \|$", SECURITY, re.M)]


def marks() -> Iterator[str]:
    """Yield the promise that each marked test holds."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == (
                    "pytest.mark.promise"
                ):
                    yield ast.literal_eval(decorator.args[0])


def test_every_promise_is_held_by_a_test_and_every_mark_is_a_promise() -> None:
    names = [name for [name] in PROMISES]
    assert len(names) == len(set(names))
    assert set(names) == set(marks())


def test_every_row_is_a_promise() -> None:
    rows = [line for line in SECURITY.splitlines() if line.startswith("| ")]
    headings = SECURITY.count("| promise | mark |")
    assert headings
    assert len(PROMISES) == len(rows) - headings
