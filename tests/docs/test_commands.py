"""Every command of every document is run by a test, or held to what it calls.

What can't be run, since it needs an AWS account or ten minutes of fuzzing, at least names targets,
scripts and modules that are there.
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
    "README.md": "tests/test_readme.py",
    "docs/api.md": "tests/test_readme.py",
    "docs/models.md": "tests/models/test_own_model.py",
    "client/README.md": "tests/client/test_install.py",
}
NOT_RUN = {
    "docs/deploy.md": "an AWS account; tests/deploy runs the scripts against a server of ours",
    "docs/scale.md": "an AWS account; tests/bulk and tests/deploy run the scripts without it",
    "fuzz/README.md": "ten minutes for each target; tests/fuzz runs the targets on their seeds",
}
OTHERS = {"aws", "curl", "git", "openssl", "pip", "sam", "zcat"}
"""Programs that are not ours."""

CLIENT = set(tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]["scripts"])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands(path: str) -> list[str]:
    """The single commands of a document's shell blocks."""
    text = (ROOT / path).read_text(encoding="utf-8")
    blocks = [block.replace("\\\n", " ") for kind, block in read_fences(text) if kind == "shell"]
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [part.strip() for line in lines for part in re.split(r"&&|\|", line) if part.strip()]


def fault(command: str) -> str:
    """What is wrong with a command; "" for nothing."""
    words = command.split()
    while "=" in words[0]:  # A variable for this command.
        words.pop(0)
    program, *arguments = words
    if program == "make":
        targets = [each for each in arguments if "=" not in each]
        return "" if set(targets) <= TARGETS else "no such target"
    if program.endswith("python") and arguments[0] == "-m":
        module = ROOT / arguments[1].replace(".", "/")
        is_there = module.with_suffix(".py").exists() or (module / "__main__.py").exists()
        return "" if is_there else "no such module"
    if program.startswith("scripts/"):
        return "" if os.access(ROOT / program, os.X_OK) else "no such script"
    return "" if program in OTHERS | CLIENT else "an unknown program"


def test_every_document_with_commands_is_known() -> None:
    shown = {
        str(path.relative_to(ROOT))
        for path in DOCUMENTS
        if any(kind == "shell" for kind, _ in read_fences(path.read_text(encoding="utf-8")))
    }
    assert shown == set(RUN_BY) | set(NOT_RUN)
    for path, test in RUN_BY.items():
        source = (ROOT / test).read_text()
        assert all(f'"{part}"' in source for part in Path(path).parts), path


@pytest.mark.parametrize("path", NOT_RUN)
def test_what_is_not_run_calls_what_is_there(path: str) -> None:
    assert commands(path)
    assert {command: fault(command) for command in commands(path) if fault(command)} == {}


@pytest.mark.parametrize(
    "command", ["make nothing", "python -m nothing.here", "scripts/nothing.sh", "nothing --here"]
)
def test_a_command_that_is_not_there_is_noticed(command: str) -> None:
    assert fault(f"STACK=a {command}")
