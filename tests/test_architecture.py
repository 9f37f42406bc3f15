"""The house's own rules: who may import whom, and how long a room may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
PICTURE_LIBRARIES = {"PIL", "cv2", "numpy", "onnxruntime"}
HTTP_LIBRARIES = {"http", "socket", "ssl", "requests"}
NOT_SOURCES = {"build", "out"}  # Packages with other people's modules in them, demo answers.
SOURCES = [
    path
    for path in PROJECT.rglob("*.py")
    if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
    and path.relative_to(PROJECT).parts[0] not in NOT_SOURCES
]


def imports(path: Path) -> set[str]:
    """Top-level names of all that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


FORBIDDEN = {
    "gateway": PICTURE_LIBRARIES | {"inference", "service", "lambda_function", "tests"},
    "inference": HTTP_LIBRARIES | {"gateway", "service", "lambda_function", "tests"},
    "service": {"lambda_function", "tests"},
}
APART = {
    **FORBIDDEN,
    # It is installed on its own.
    "client": {"gateway", "inference", "service", "lambda_function", "scripts", "tests"},
}


@pytest.mark.parametrize(("wing", "forbidden"), APART.items(), ids=APART)
def test_the_wings_stay_apart(wing: str, forbidden: set[str]) -> None:
    found = {
        str(path.relative_to(PROJECT)): sorted(imports(path) & forbidden)
        for path in (PROJECT / wing).rglob("*.py")
        if imports(path) & forbidden
    }

    assert found == {}


def test_only_one_file_knows_onnxruntime() -> None:
    users = [
        str(path.relative_to(PROJECT))
        for wing in FORBIDDEN
        for path in (PROJECT / wing).rglob("*.py")
        if "onnxruntime" in imports(path)
    ]

    assert users == ["inference/session.py"]


def test_only_settings_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(PROJECT))
        for wing in FORBIDDEN
        for path in (PROJECT / wing).rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]

    assert readers == []


def test_no_room_is_too_long() -> None:
    too_long = {
        str(path.relative_to(PROJECT)): lines
        for path in SOURCES
        if "tests" not in path.relative_to(PROJECT).parts
        and (lines := len(path.read_text().splitlines())) > 300
    }

    assert too_long == {}


def test_development_tools_are_not_imported_at_run_time() -> None:
    """A cold start pays for every import."""
    code = (
        "import sys, lambda_function; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {"numpy", "onnxruntime", "PIL", "cv2"} <= set(loaded)
    assert not {"boto3", "botocore", "requests", "requests_toolbelt", "pytest", "onnx", "torch"} & (
        set(loaded)
    )
