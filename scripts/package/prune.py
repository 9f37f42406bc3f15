"""Apply the table of rules to an installed tree and measure what each rule removes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.package import elf
from scripts.package.rules import Cut, Rule

LIBRARY_FOLDERS = "*.libs"
"""Suffix of the folders where wheels keep bundled shared libraries (auditwheel's convention)."""


class RuleFailed(Exception):
    """A rule no longer matches the tree; the message says which rule and what to do."""


@dataclass(frozen=True, slots=True)
class Saving:
    """The size that one rule removed.

    Attributes:
        name: The rule's name.
        reason: The rule's reason.
        size: Removed bytes.
    """

    name: str
    reason: str
    size: int


def prune(root: Path, rules: Iterable[Rule], cuts: Iterable[Cut]) -> list[Saving]:
    """Delete the files of the rules, remove the libraries of the cuts, then delete orphans.

    Args:
        root: An installed tree; it is changed.
        rules: Files to delete.
        cuts: Modules and the libraries to remove from them.

    Returns:
        One saving per rule and cut, in order. Libraries that only the deleted files needed count
        for the rule that deleted them.

    Raises:
        RuleFailed: A rule matches nothing.
        elf.ElfError: A library cannot be removed from a module.
    """
    # No module is linked to these; they are loaded by name, if at all.
    loaded_by_name = orphans(root)
    savings: list[Saving] = []
    for rule in rules:
        matches = _matches(root, rule.name, rule.patterns)
        size = _delete(matches)
        if rule.is_imported:
            for path in matches:
                path.touch()
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
    """Return bundled libraries that no module needs, directly or through other libraries."""
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
    """Return the bytes of a file, or of all files below a directory, as Lambda counts them."""
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
                "other files than the rule expects: update scripts/package/rules.py."
            )
        found += matches
    return found


def _delete(paths: Iterable[Path]) -> int:
    saved = 0
    for path in paths:
        # An earlier match may have been a parent directory.
        if path.is_dir():
            saved += tree_size(path)
            shutil.rmtree(path)
        elif path.exists():
            saved += tree_size(path)
            path.unlink()
    return saved
