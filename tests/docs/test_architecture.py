"""docs/architecture.md: its files exist, and its table of imports is the code's."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.documents import FENCE, read_fences
from tests.support.tables import cells, quoted

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = {"gateway", "inference", "service", "lambda_function", "hooks", "scripts", "tests"}
ROWS = {quoted(package)[0]: row for package, *row in cells(TEXT, "package")}


def imported(package: str) -> set[str]:
    """Return the packages of the project that this one imports."""
    module = ROOT / f"{package}.py"
    names: set[str] = set()
    for path in [module] if module.exists() else sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names & PACKAGES - {package}


@pytest.mark.parametrize("package", ROWS)
def test_imports(package: str) -> None:
    assert set(quoted(ROWS[package][0])) == imported(package)


def test_paths_exist() -> None:
    paths = {
        each
        for each in quoted(FENCE.sub("", TEXT))
        if re.fullmatch(r"\w+(/[\w.]*)+|\w+\.(py|md|yaml)", each)
    }
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_diagrams_name_files_of_the_right_package() -> None:
    diagrams = [text for language, text in read_fences(TEXT) if language == "mermaid"]
    for diagram in diagrams:
        groups = re.findall(r"subgraph (\w+) \[.*?\]\n(.*?)\n    end", diagram, re.DOTALL)
        for package, inside in groups:
            names = re.findall(r"\b[a-z_]+(?:\.py|/)", inside)
            assert [name for name in names if not (ROOT / package / name).exists()] == []
