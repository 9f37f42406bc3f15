"""Detects changes of the files that a running function has loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = (".py", ".json", ".onnx", ".ort", ".html")
"""Files that a function loads: code, manifests, models and pages."""

Fingerprint = tuple[tuple[str, int, int], ...]
"""Path, modification time in ns and size in bytes of each file, sorted by path."""


def fingerprint(directories: Iterable[Path]) -> Fingerprint:
    """Return a fingerprint of the sources in the directories and below.

    Two fingerprints differ if a file was changed, added or removed in between. Hidden directories
    and virtual environments are skipped. A missing directory counts as empty.
    """
    return tuple(sorted(entry for directory in directories for entry in _files(directory)))


def _files(directory: Path) -> Iterator[tuple[str, int, int]]:
    for path, directories, names in os.walk(directory):
        directories[:] = [each for each in directories if not _is_skipped(path, each)]
        for name in names:
            if name.endswith(SUFFIXES):
                file = os.path.join(path, name)
                try:
                    status = os.stat(file)
                except FileNotFoundError:  # Removed since the directory was listed.
                    continue
                yield file, status.st_mtime_ns, status.st_size


def _is_skipped(parent: str, name: str) -> bool:
    return name.startswith((".", "__")) or os.path.exists(os.path.join(parent, name, "pyvenv.cfg"))
