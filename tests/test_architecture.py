"""The rules of the architecture: imports between packages, and sizes of files and functions."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
PICTURE_LIBRARIES = {"PIL", "cv2", "numpy", "onnxruntime", "simplejpeg"}
HTTP_LIBRARIES = {"http", "socket", "ssl", "requests"}
NOT_SOURCES = {"build", "out"}  # Built packages with third-party modules, answers of the demo.
SOURCES = [
    path
    for path in PROJECT.rglob("*.py")
    if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
    and path.relative_to(PROJECT).parts[0] not in NOT_SOURCES
]

FORBIDDEN_IMPORTS = {
    "gateway": PICTURE_LIBRARIES | {"inference", "service", "lambda_function", "tests"},
    "inference": HTTP_LIBRARIES | {"gateway", "service", "lambda_function", "tests"},
    "service": {"lambda_function", "tests"},
    "hooks": {"gateway", "inference", "service", "lambda_function", "tests"},
    # The client is installed on its own.
    "client": {"gateway", "inference", "service", "lambda_function", "scripts", "tests"},
}
"""Top-level names that the modules of a package must not import."""
DEPLOYED = ("gateway", "inference", "service")

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
LONG_FUNCTIONS = {
    "client/matchvec_client/arguments.py:_parser": "the options of the command line, one by one",
    "client/matchvec_client/bulk/runs.py:start": "one call with many arguments",
    "fuzz/seeds.py:pictures": "a list of named pictures",
    "gateway/response.py:file_response": "its cases share the headers",
    "service/metrics.py:emf_line": "one JSON object with all metrics",
}
"""Functions that may be longer, with the reason."""


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def in_tests(path: Path) -> bool:
    return path.relative_to(PROJECT).parts[0] == "tests"


def imports(path: Path) -> set[str]:
    """Return the top-level names of all modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the name of every function and its length in lines without decorators and docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) else None
            skipped = docstring.end_lineno - docstring.lineno + 1 if docstring else 0  # type: ignore[operator]
            yield node.name, node.end_lineno - node.lineno + 1 - skipped  # type: ignore[operator]


@pytest.mark.parametrize(("package", "forbidden"), FORBIDDEN_IMPORTS.items(), ids=FORBIDDEN_IMPORTS)
def test_a_package_imports_nothing_forbidden(package: str, forbidden: set[str]) -> None:
    found = {
        name_of(path): sorted(imports(path) & forbidden)
        for path in (PROJECT / package).rglob("*.py")
        if imports(path) & forbidden
    }

    assert found == {}


def test_one_file_imports_onnxruntime() -> None:
    users = [
        name_of(path)
        for package in DEPLOYED
        for path in (PROJECT / package).rglob("*.py")
        if "onnxruntime" in imports(path)
    ]

    assert users == ["inference/session.py"]


def test_one_deployed_file_imports_opencv() -> None:
    """Two threads that import it at the same time can fail; see inference/opencv.py."""
    assert [
        name_of(path)
        for path in SOURCES
        if path.relative_to(PROJECT).parts[0] in DEPLOYED and "cv2" in imports(path)
    ] == ["inference/opencv.py"]


def test_the_deployed_packages_do_not_read_the_environment() -> None:
    readers = [
        name_of(path)
        for package in DEPLOYED
        for path in (PROJECT / package).rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]

    assert readers == []


def test_no_private_name_is_imported() -> None:
    """Ruff's rule SLF001 covers access by attribute; this test covers imports."""
    found = [
        (name_of(path), alias.name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]

    assert found == []


def test_files_are_short() -> None:
    too_long = {
        name_of(path): lines
        for path in SOURCES
        if not in_tests(path) and (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    }

    assert too_long == {}


def test_functions_are_short() -> None:
    too_long = {
        f"{name_of(path)}:{name}"
        for path in SOURCES
        if not in_tests(path)
        for name, lines in function_lengths(path)
        if lines > MAX_FUNCTION_LINES
    }

    assert too_long == set(LONG_FUNCTIONS)


def test_the_function_does_not_load_development_tools() -> None:
    """Every import makes cold starts slower."""
    code = (
        "import sys, lambda_function; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {"numpy", "onnxruntime", "cv2"} <= set(loaded)
    assert not {"PIL", "boto3", "botocore", "requests", "requests_toolbelt", "pytest", "onnx"} & (
        set(loaded)
    )
