"""requirements.txt, constraints.txt and the dependency groups of pyproject.toml fit together."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.test_architecture import DEPLOYED, imports

PROJECT = Path(__file__).parent.parent
GROUPS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]
SEPARATE = "checkov"
"""A group with an environment and versions of its own."""


def normalized(name: str) -> str:
    """Return a package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> set[str]:
    lines = (PROJECT / file).read_text().splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]
    assert [each for each in requirements if not re.fullmatch(r"[\w.-]+==[\w.]+", each)] == []
    return {normalized(each.partition("==")[0]) for each in requirements}


def test_every_version_is_pinned_once() -> None:
    assert pins("requirements.txt") & pins("constraints.txt") == set()


def test_every_dependency_of_a_group_is_pinned() -> None:
    pinned = pins("requirements.txt") | pins("constraints.txt")
    for group, dependencies in GROUPS.items():
        if group == SEPARATE:
            continue
        names = [each for each in dependencies if isinstance(each, str)]
        missing = [each for each in names if normalized(re.split(r"[;\[ ]", each)[0]) not in pinned]
        assert missing == [], group


def test_the_function_uses_its_requirements() -> None:
    sources = [path for name in DEPLOYED for path in (PROJECT / name).rglob("*.py")]
    imported = set().union(*map(imports, sources)) - sys.stdlib_module_names - set(DEPLOYED)
    # Some modules are imported by name, so that startup does not pay for them.
    texts = "\n".join(path.read_text() for path in sources)
    modules = {
        module: {normalized(name) for name in names}
        for module, names in packages_distributions().items()
    }
    required = pins("requirements.txt")
    # The Lambda runtime includes these two.
    missing = {name for name in imported if not modules[name] & (required | {"boto3", "botocore"})}
    used = set().union(*(names for name, names in modules.items() if name in texts))

    assert missing == set()
    assert required - used == set()
