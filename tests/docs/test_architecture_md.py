"""docs/architecture.md names files that are there, and who imports whom."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.documents import FENCE, read_fences
from tests.support.tables import cells, quoted
from tests.test_architecture import FORBIDDEN, HTTP_LIBRARIES, PICTURE_LIBRARIES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
[(LANGUAGE, DIAGRAM)] = read_fences(TEXT)
OURS = {"gateway", "inference", "service", "lambda_function", "hooks", "scripts", "tests"}
ROWS = {quoted(package)[0]: (ours, never) for package, ours, never in cells(TEXT, "package")}


def imported(package: str) -> set[str]:
    """Our own packages that this one imports."""
    single = ROOT / f"{package}.py"
    names: set[str] = set()
    for path in [single] if single.exists() else sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names & OURS - {package}


@pytest.mark.parametrize("package", ROWS)
def test_imports(package: str) -> None:
    assert set(quoted(ROWS[package][0])) == imported(package)


def test_libraries_that_a_wing_never_imports() -> None:
    assert set(FORBIDDEN) < set(ROWS)
    for wing, libraries in {"gateway": PICTURE_LIBRARIES, "inference": HTTP_LIBRARIES}.items():
        assert set(ROWS[wing][1].partition(": ")[2].split(", ")) == libraries


def test_paths_are_there() -> None:
    paths = {
        each
        for each in quoted(FENCE.sub("", TEXT))
        if re.fullmatch(r"\w+(/[\w.]*)+|\w+\.(py|md|yaml)", each)
    }
    assert len(paths) >= 30
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_diagram_names_files_of_the_right_wing() -> None:
    assert LANGUAGE == "mermaid"
    for wing, inside in re.findall(r"subgraph (\w+) \[.*?\]\n(.*?)\n    end", DIAGRAM, re.DOTALL):
        names = re.findall(r"\b[a-z_]+(?:\.py|/)", inside)
        assert names
        assert [name for name in names if not (ROOT / wing / name).exists()] == []
