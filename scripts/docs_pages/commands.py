"""docs/commands.md, from the Makefile, the heads of the scripts and the docstrings of modules."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from scripts.docs_pages.tables import markdown_table

ROOT = Path(__file__).resolve().parents[2]
TARGET = re.compile(r"^([a-z-]+):.*## (.+)$", re.MULTILINE)
VARIABLE = re.compile(r"^#   ([A-Z]+)=(\S+) +(.+)$", re.MULTILINE)
HEAD = re.compile(r"\A#!.*\n((?:#.*\n)+)")
SCRIPTS = ("deploy.sh", "destroy.sh", "bulk.sh", "verify_aws.sh")
MODULES = {
    "scripts.demo": "scripts/demo.py",
    "scripts.models": "scripts/models/__main__.py",
    "scripts.package": "scripts/package/__main__.py",
    "scripts.cost": "scripts/cost.py",
    "scripts.prices": "scripts/prices.py",
    "scripts.load": "scripts/load.py",
    "scripts.definition": "scripts/definition.py",
    "scripts.docs_pages": "scripts/docs_pages/__main__.py",
    "scripts.release": "scripts/release.py",
    "scripts.deployment.policy": "scripts/deployment/policy.py",
    "benchmarks": "benchmarks/__main__.py",
    "benchmarks.compare": "benchmarks/compare.py",
    "benchmarks.scale": "benchmarks/scale/__main__.py",
    "fuzz": "fuzz/__main__.py",
}
INTRODUCTION = """\
# Commands

Every command runs in the root of a clone. The option `--help` of a Python module lists its
arguments. The [client](../client/README.md) has the command `matchvec`.

## make
"""


def page() -> str:
    """Return the page."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [(f"`make {name}`", text) for name, text in TARGET.findall(makefile)]
    variables = [
        (f"`{name}`", f"`{example}`", text) for name, example, text in VARIABLE.findall(makefile)
    ]
    parts = [
        INTRODUCTION.strip(),
        markdown_table(("target", "purpose"), targets),
        markdown_table(("variable", "example", "meaning"), variables),
        "## Scripts",
    ]
    for name in SCRIPTS:
        parts += [f"### scripts/{name}", _block(_head(ROOT / "scripts" / name))]
    parts.append("## Python modules")
    for module, path in MODULES.items():
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        parts += [f"### python -m {module}", _block(ast.get_docstring(tree) or "")]
    return "\n\n".join(parts) + "\n"


def _head(script: Path) -> str:
    [head] = HEAD.findall(script.read_text(encoding="utf-8"))
    return re.sub(r"^# ?", "", str(head), flags=re.MULTILINE).strip()


def _block(text: str) -> str:
    return f"```text\n{text}\n```"
