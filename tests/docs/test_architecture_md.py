"""docs/architecture.md: its paths, its table of imports, and its steps to add a route."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gateway.routes import ASSETS, Route
from service.pages import FILES
from service.picture_answers import PICTURE_ROUTES
from service.routes import ROUTES
from tests.support.documents import FENCE, read_fences
from tests.support.tables import cells, quoted
from tests.test_architecture import FORBIDDEN_IMPORTS, HTTP_LIBRARIES, PICTURE_LIBRARIES

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


def test_libraries_that_are_never_imported() -> None:
    assert set(ROWS) <= {*FORBIDDEN_IMPORTS, "lambda_function"}
    for package, libraries in {"gateway": PICTURE_LIBRARIES, "inference": HTTP_LIBRARIES}.items():
        assert set(ROWS[package][1].partition(": ")[2].split(", ")) == libraries


def test_paths_exist() -> None:
    paths = {
        each
        for each in quoted(FENCE.sub("", TEXT))
        if re.fullmatch(r"\w+(/[\w.]*)+|\w+\.(py|md|yaml)", each)
    }
    assert len(paths) >= 30
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_diagram_names_files_of_the_right_package() -> None:
    assert LANGUAGE == "mermaid"
    boxes = re.findall(r"subgraph (\w+) \[.*?\]\n(.*?)\n    end", DIAGRAM, re.DOTALL)
    assert {package for package, _ in boxes} == {"gateway", "inference", "service"}
    for package, inside in boxes:
        names = re.findall(r"\b[a-z_]+(?:\.py|/)", inside)
        assert names
        assert [name for name in names if not (ROOT / package / name).exists()] == []


# Add a route

PLACES = [quoted(file)[0] for _, file, _ in cells(TEXT, "step")]


def lacks(place: str, route: Route) -> bool:
    """Return whether a route is missing in a file of the steps."""
    if place == "gateway/routes.py":
        return route not in Route
    if place == "service/routes.py":
        return route not in ROUTES
    takes_pictures = "POST" in route.methods and route is not Route.UPLOADS
    if place == "service/picture_answers.py":
        return (route in PICTURE_ROUTES) is not takes_pictures
    if place == "docs/api.md" and not takes_pictures:
        return False
    if place == "service/results.py":
        return False  # It lists types of answers, which routes can share.
    text = (ROOT / place).read_text(encoding="utf-8")
    return re.search(rf"{re.escape(route.path)}(?![\w-])", text) is None


@pytest.mark.parametrize("route", [route for route in Route if route not in ASSETS])
def test_every_route_is_in_every_place(route: Route) -> None:
    assert len(PLACES) == 8
    assert [place for place in PLACES if lacks(place, route)] == []


def test_every_page_has_a_file() -> None:
    pages = {route for route in Route if ROUTES[route] is ROUTES[Route.TRY]}

    assert set(FILES) == pages


def test_no_other_place_names_a_route() -> None:
    """`nbytes` stands for every route: it is in no file that the steps do not list."""
    deployed = [
        *(
            path
            for name in ("gateway", "service", "inference")
            for path in (ROOT / name).rglob("*.py")
        ),
        *(path for path in (ROOT / "pages").iterdir() if path.is_file()),
        ROOT / "lambda_function.py",
        ROOT / "swagger.yaml",
        ROOT / "template.yaml",
    ]
    named = {
        path.relative_to(ROOT).as_posix()
        for path in deployed
        if "nbytes" in path.read_text(encoding="utf-8").lower()
    }

    assert named <= set(PLACES)
    assert "service/picture_answers.py" in named
