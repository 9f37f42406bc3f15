"""Applies the table of rules to an installed tree, and says what each one saved."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.package import elf
from scripts.package.rules import Cut, Rule

LIBRARY_FOLDERS = "*.libs"
"""Where wheels keep the shared libraries that they bring along (auditwheel's convention)."""


class RuleFailed(Exception):
    """A rule does not fit the tree any more; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What one rule took away.

    Attributes:
        name: The rule's.
        reason: The rule's.
        size: Bytes.
    """

    name: str
    reason: str
    size: int


def prune(root: Path, rules: Iterable[Rule], cuts: Iterable[Cut]) -> list[Saving]:
    """Delete what the rules name, cut what the cuts name, and delete what nobody needs then.

    Args:
        root: An installed tree; it is changed.
        rules: What to delete.
        cuts: Which modules to free of which libraries.

    Returns:
        One saving per rule and cut, in order; libraries that only the deleted or cut files
        needed count for the rule.

    Raises:
        RuleFailed: A rule matches nothing.
        elf.ElfError: A module can't be cut.
    """
    # Those that no module is linked to from the start are loaded by name, if at all.
    loaded_by_name = orphans(root)
    savings: list[Saving] = []
    for rule in rules:
        size = _delete(_matches(root, rule.name, rule.patterns))
        size += _delete(orphans(root) - loaded_by_name)
        savings.append(Saving(rule.name, rule.reason, size))
    for cut in cuts:
        patterns = tuple(f"{LIBRARY_FOLDERS}/{name}" for name in cut.libraries)
        libraries = _matches(root, cut.name, patterns)
        for module in _matches(root, cut.name, (cut.module,)):
            elf.cut(module, libraries)
        size = _delete(orphans(root) - loaded_by_name)
        savings.append(Saving(cut.name, cut.reason, size))
    return savings


def orphans(root: Path) -> set[Path]:
    """Libraries of wheels that no module needs, directly or through others."""
    libraries = {path.resolve() for path in root.glob(f"{LIBRARY_FOLDERS}/*.so*")}
    waiting = [path.resolve() for path in root.rglob("*.so")]
    waiting = [path for path in waiting if path not in libraries]
    needed: set[Path] = set()
    while waiting:
        module = elf.read(waiting.pop())
        for path in (folder / name for folder in module.search for name in module.needed):
            if path in libraries - needed:
                needed.add(path)
                waiting.append(path)
    return libraries - needed


def tree_size(path: Path) -> int:
    """Bytes of a file, or of all files below a directory: what Lambda counts."""
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def _matches(root: Path, name: str, patterns: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for pattern in patterns:
        matches = sorted(path.resolve() for path in root.glob(pattern))
        if not matches:
            raise RuleFailed(
                f"Rule {name!r}: nothing matches {pattern}. The versions in requirements.txt have "
                "other files than the rule was written for: mend it in scripts/package/rules.py."
            )
        found += matches
    return found


def _delete(paths: Iterable[Path]) -> int:
    saved = 0
    for path in paths:
        # A directory above may have taken it along.
        if path.is_dir():
            saved += tree_size(path)
            shutil.rmtree(path)
        elif path.exists():
            saved += tree_size(path)
            path.unlink()
    return saved
