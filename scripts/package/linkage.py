"""Check that every shared library of a package can be loaded on Lambda."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.package import elf

MACHINES = {"arm64": "EM_AARCH64", "x86_64": "EM_X86_64"}

RUNTIME_LIBRARIES = frozenset(
    {
        "ld-linux-aarch64.so.1",
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "librt.so.1",
        "libstdc++.so.6",
        "libz.so.1",
    }
)
"""Libraries that the Lambda runtime provides: those that its Python is linked to, out of the ones
that PEP 600 lets a wheel for glibc 2.28 expect (https://github.com/pypa/auditwheel,
policy/manylinux-policy.json)."""

NEWEST_VERSIONS = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
"""Newest symbol versions on Amazon Linux 2023: glibc 2.34, and libstdc++ of GCC 11
(https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html,
https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html)."""

VERSION = re.compile(r"(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+)+)")
PAGE_BYTES = 4096


def problems(root: Path, architecture: str) -> list[str]:
    """Return the reasons why libraries of the package would not load; empty if all would.

    Args:
        root: The package.
        architecture: `arm64` or `x86_64`.
    """
    paths = sorted(path for path in root.rglob("*") if ".so" in path.suffixes and path.is_file())
    found: list[str] = []
    libraries = [elf.read(path) for path in paths]
    inherited = _inherited_folders(libraries)
    for library in libraries:
        name = library.path.relative_to(root)
        if library.machine != MACHINES[architecture]:
            found.append(f"{name} is built for {library.machine}, not for {architecture}")
        found += [
            f"{name} needs {needed}, which is neither in the package nor on Lambda"
            for needed in _missing(library, inherited.get(library.path.resolve(), set()))
        ]
        found += [
            f"{name} needs {version}, which is newer than Lambda's" for version in _too_new(library)
        ]
        found += [
            f"{name} has a segment aligned to {alignment} bytes, less than a page"
            for alignment in library.alignments
            if alignment % PAGE_BYTES
        ]
    return found


def _inherited_folders(libraries: list[elf.SharedLibrary]) -> dict[Path, set[Path]]:
    """Return the folders in which a library is searched because of the RPATH of its users."""
    inherited: dict[Path, set[Path]] = {}
    for library in libraries:
        for name in library.needed:
            for folder in library.inherited:
                inherited.setdefault((folder / name).resolve(), set()).update(library.inherited)
    return inherited


def _missing(library: elf.SharedLibrary, inherited: set[Path]) -> list[str]:
    return [
        name
        for name in library.needed
        if name not in RUNTIME_LIBRARIES
        and not any((folder / name).is_file() for folder in {*library.search, *inherited})
    ]


def _too_new(library: elf.SharedLibrary) -> list[str]:
    matches = [match for version in library.versions if (match := VERSION.fullmatch(version))]
    return sorted(
        match[0]
        for match in matches
        if tuple(int(number) for number in match[2].split(".")) > NEWEST_VERSIONS[match[1]]
    )
