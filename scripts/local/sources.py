"""When the files behind a running function have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = (".py", ".json", ".onnx", ".ort", ".html")
"""What a function loads: code, manifests, models and pages."""

Fingerprint = tuple[tuple[str, int, int], ...]
"""Path, modification time in ns and size in bytes of each file, sorted."""


def fingerprint(directories: Iterable[Path]) -> Fingerprint:
    """Take a fingerprint of the sources below some directories.

    Two fingerprints differ if a file was changed, added or removed in between. Hidden directories
    and virtual environments are left out; a directory that does not exist has no files.
    """
    return tuple(sorted(entry for directory in directories for entry in _files(directory)))


def _files(directory: Path) -> Iterator[tuple[str, int, int]]:
    for path, directories, names in os.walk(directory):
        directories[:] = [each for each in directories if not _left_out(path, each)]
        for name in names:
            if name.endswith(SUFFIXES):
                file = os.path.join(path, name)
                try:
                    status = os.stat(file)
                except FileNotFoundError:  # An editor replaced it between listing and looking.
                    continue
                yield file, status.st_mtime_ns, status.st_size


def _left_out(parent: str, name: str) -> bool:
    return name.startswith((".", "__")) or os.path.exists(os.path.join(parent, name, "pyvenv.cfg"))
