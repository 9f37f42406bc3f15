"""Every command of every document is run by a test, or at least calls what exists.

Commands that need an AWS account, or much time, are checked for their targets, scripts and modules.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.test_links import DOCUMENTS
from tests.support.documents import read_fences

ROOT = Path(__file__).parents[2]
RUN_BY = {
    "README.md": "tests/docs/test_readme.py",
    "docs/api.md": "tests/docs/test_readme.py",
    "docs/clients.md": "tests/docs/test_readme.py",
    "docs/models.md": "tests/models/test_own_model.py",
    "client/README.md": "tests/client/test_install.py",
}
NOT_RUN = {
    "CONTRIBUTING.md": "they install the environment and run these tests",
    "docs/deploy.md": "they need an AWS account; tests/deploy runs the scripts without one",
    "docs/exports.md": "they need an environment with the packages, and a quarter of an hour",
    "docs/large-pictures.md": "they need an AWS account; tests/deploy runs the script",
    "docs/parameters.md": "it needs an AWS account; tests/deploy runs the script without one",
    "docs/public-deployment.md": "it needs an AWS account; tests/deploy runs the script",
    "docs/tutorial.md": "README.md and docs/deploy.md have the same commands",
    "docs/scale.md": "they need an AWS account; tests/bulk and tests/deploy run the scripts",
    "fuzz/README.md": "they take ten minutes per target; tests/fuzz runs the targets",
}
"""Documents whose commands no test runs, with the reason."""
OTHERS = {".venv/bin/pre-commit", "aws", "curl", "git", "openssl", "pip", "sam", "zcat"}
"""Programs that do not belong to the project."""

CLIENT = set(tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]["scripts"])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands(path: str) -> list[str]:
    """Return the single commands of all shell blocks of a document."""
    text = (ROOT / path).read_text(encoding="utf-8")
    blocks = [block.replace("\\\n", " ") for kind, block in read_fences(text) if kind == "shell"]
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [part.strip() for line in lines for part in re.split(r"&&|\|", line) if part.strip()]


def fault(command: str) -> str:
    """Return what is wrong with a command; "" if nothing is."""
    words = re.sub(r'"[^"]*"', '""', command).split()
    while "=" in words[0]:  # An environment variable for this command.
        words.pop(0)
    program, *arguments = words
    if program == "make":
        targets = [each for each in arguments if "=" not in each]
        return "" if set(targets) <= TARGETS else "unknown target"
    if program.endswith("python") and arguments[0] == "-m":
        module = ROOT / arguments[1].replace(".", "/")
        exists = module.with_suffix(".py").exists() or (module / "__main__.py").exists()
        exists = exists or arguments[1] == "pytest"
        return "" if exists else "unknown module"
    if program.startswith("scripts/"):
        return "" if os.access(ROOT / program, os.X_OK) else "unknown script"
    return "" if program in OTHERS | CLIENT else "unknown program"


def test_every_document_with_commands_is_known() -> None:
    shown = {
        str(path.relative_to(ROOT))
        for path in DOCUMENTS
        if any(kind == "shell" for kind, _ in read_fences(path.read_text(encoding="utf-8")))
    }
    assert shown == set(RUN_BY) | set(NOT_RUN)
    assert [test for test in RUN_BY.values() if not (ROOT / test).is_file()] == []


@pytest.mark.parametrize("path", NOT_RUN)
def test_commands_call_what_exists(path: str) -> None:
    assert {command: fault(command) for command in commands(path) if fault(command)} == {}


def test_the_tutorial_repeats_commands_of_other_documents() -> None:
    others = {each for path in ("README.md", "docs/deploy.md") for each in commands(path)}
    assert [command for command in commands("docs/tutorial.md") if command not in others] == []


@pytest.mark.parametrize(
    "command", ["make nothing", "python -m nothing.here", "scripts/nothing.sh", "nothing --here"]
)
def test_an_unknown_command_fails(command: str) -> None:
    assert fault(f"STACK=a {command}")
