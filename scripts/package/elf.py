"""Read ELF shared libraries, and remove libraries that a module is linked to.

Follows the System V ABI (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, chapters
4 and 5) and, for symbol versions, the Linux Standard Base
(https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html).
Both of Lambda's processors are 64-bit and little-endian.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

Edit = tuple[int, bytes]
"""(offset in the file, bytes to write there)"""

DYNAMIC_ENTRY = struct.Struct("<qQ")
"""Elf64_Dyn: tag, value."""
DT_NULL = 0
DT_NEEDED = 1
DT_VERNEEDNUM = 0x6FFFFFFF
SYMBOL_INFO = 4
"""Offset of st_info in an Elf64_Sym: binding in the upper four bits, type in the lower four."""
STB_WEAK = 2
VERSION_NEED_NEXT = 12
"""Offset of vn_next in an Elf64_Verneed."""
SECTION_INFO = 44
"""Offset of sh_info in an Elf64_Shdr; for .gnu.version_r it holds the number of libraries."""
VER_NDX_GLOBAL = 1
"""The index in .gnu.version of a symbol that is exported or required without a version."""


class ElfError(Exception):
    """A file has an unexpected layout; it was not changed."""


@dataclass(frozen=True, slots=True)
class SharedLibrary:
    """The fields of a library that the dynamic linker reads.

    Attributes:
        path: The file.
        machine: pyelftools' name of the processor, `EM_X86_64` or `EM_AARCH64`.
        needed: Names of the libraries that it is linked to, in order.
        search: Folders of its RPATH or RUNPATH, with $ORIGIN resolved.
        inherited: Folders of its RPATH, which are also searched for what its libraries need.
        versions: Symbol versions that it requires, such as ``GLIBC_2.34``.
        alignments: p_align of each loaded segment, in bytes.
    """

    path: Path
    machine: str
    needed: tuple[str, ...]
    search: tuple[Path, ...]
    inherited: tuple[Path, ...]
    versions: frozenset[str]
    alignments: tuple[int, ...]


def read(path: Path) -> SharedLibrary:
    """Read a shared library's dynamic section.

    Raises:
        ElfError: The file has no dynamic section.
    """
    with path.open("rb") as file:
        elf = ELFFile(file)
        entries = list(_section(elf, ".dynamic", path).iter_tags())
        inherited = _folders(
            path, [entry.rpath for entry in entries if entry.entry.d_tag == "DT_RPATH"]
        )
        own = _folders(
            path, [entry.runpath for entry in entries if entry.entry.d_tag == "DT_RUNPATH"]
        )
        return SharedLibrary(
            path=path,
            machine=elf["e_machine"],
            needed=tuple(entry.needed for entry in entries if entry.entry.d_tag == "DT_NEEDED"),
            search=inherited + own,
            inherited=inherited,
            versions=frozenset(
                version.name for _, versions in _version_needs(elf) for version in versions
            ),
            alignments=tuple(segment["p_align"] for segment in elf.iter_segments("PT_LOAD")),
        )


def _folders(path: Path, lists: list[str]) -> tuple[Path, ...]:
    return tuple(
        Path(folder.replace("$ORIGIN", str(path.parent))).resolve()
        for folders in lists
        for folder in folders.split(":")
    )


def exports(path: Path) -> frozenset[str]:
    """Return the names of the symbols that a library exports."""
    with path.open("rb") as file:
        symbols = _section(ELFFile(file), ".dynsym", path).iter_symbols()
        return frozenset(
            symbol.name for symbol in symbols if symbol.entry.st_shndx != "SHN_UNDEF"
        ) - {""}


def cut(module: Path, libraries: Collection[Path]) -> None:
    """Make a module load without some of the libraries that it is linked to.

    The module's entries for those libraries and for versions of their symbols are removed, and
    the symbols that it imports from them become weak. The dynamic linker resolves a missing weak
    symbol to address 0 instead of refusing to load the module. Calling such a symbol crashes the
    process, so use this only for features that are never called. The size and layout of the file
    do not change.

    Args:
        module: The file to change.
        libraries: Files of all the libraries to remove; their exports are read.

    Raises:
        ElfError: The module is not linked to one of them, or has an unexpected layout.
    """
    names = {library.name for library in libraries}
    offered = frozenset(name for library in libraries for name in exports(library))
    with module.open("r+b") as file:
        elf = ELFFile(file)
        forgotten, dropped_versions, kept_needs = _forget_versions(elf, module, names)
        edits = [
            *forgotten,
            *_weaken(elf, module, offered, dropped_versions),
            *_drop_needed(elf, module, names, kept_needs),
        ]
        for offset, content in edits:
            file.seek(offset)
            file.write(content)


def _section(elf: ELFFile, name: str, path: Path) -> Any:  # noqa: ANN401  its class depends on the name
    section = elf.get_section_by_name(name)
    if section is None:
        raise ElfError(f"{path} has no section {name}.")
    return section


def _version_needs(elf: ELFFile) -> Iterator[tuple[Any, list[Any]]]:
    section: Any = elf.get_section_by_name(".gnu.version_r")
    if section is not None:
        for need, versions in section.iter_versions():
            yield need, list(versions)


def _forget_versions(
    elf: ELFFile, module: Path, names: Collection[str]
) -> tuple[list[Edit], set[int], int]:
    """Return the edits that remove libraries from the chain in .gnu.version_r.

    Returns:
        The edits, the removed version indices, and the number of libraries that remain.
    """
    index = elf.get_section_index(".gnu.version_r")
    if index is None:
        raise ElfError(f"{module} has no section .gnu.version_r.")
    start = position = elf.get_section(index)["sh_offset"]
    dropped: set[int] = set()
    kept: list[int] = []
    for need, versions in _version_needs(elf):
        if need.name in names:
            dropped |= {version["vna_other"] for version in versions}
        else:
            kept.append(position)
        position += need["vn_next"]
    # The dynamic section points at the first entry, so that entry must keep its place.
    if kept[:1] != [start]:
        raise ElfError(f"{module}: the first library in .gnu.version_r cannot be removed.")
    distances = [following - here for here, following in itertools.pairwise(kept)]
    edits = [
        (here + VERSION_NEED_NEXT, struct.pack("<I", distance))
        for here, distance in zip(kept, [*distances, 0], strict=True)
    ]
    header = elf["e_shoff"] + index * elf["e_shentsize"]
    edits.append((header + SECTION_INFO, struct.pack("<I", len(kept))))
    return edits, dropped, len(kept)


def _weaken(
    elf: ELFFile, module: Path, offered: Collection[str], dropped_versions: Collection[int]
) -> Iterator[Edit]:
    """Yield edits that make the symbols exported by the removed libraries weak and unversioned."""
    table = _section(elf, ".dynsym", module)
    versions = _section(elf, ".gnu.version", module)
    for index, symbol in enumerate(table.iter_symbols()):
        if symbol.entry.st_shndx != "SHN_UNDEF" or symbol.name not in offered:
            continue
        offset = table["sh_offset"] + index * table["sh_entsize"] + SYMBOL_INFO
        elf.stream.seek(offset)
        (info,) = elf.stream.read(1)
        yield offset, bytes([STB_WEAK << 4 | info & 0x0F])
        if versions.get_symbol(index)["ndx"] in dropped_versions:
            offset = versions["sh_offset"] + index * versions["sh_entsize"]
            yield offset, struct.pack("<H", VER_NDX_GLOBAL)


def _drop_needed(
    elf: ELFFile, module: Path, names: Collection[str], kept_needs: int
) -> Iterator[Edit]:
    """Yield edits that remove libraries from the dynamic section and move later entries up."""
    section = _section(elf, ".dynamic", module)
    tags = list(section.iter_tags())
    dropped = [tag.entry.d_tag == "DT_NEEDED" and tag.needed in names for tag in tags]
    if missing := set(names) - {tag.needed for tag in itertools.compress(tags, dropped)}:
        raise ElfError(f"{module} is not linked to {', '.join(sorted(missing))}.")
    size = (
        len(tags) * DYNAMIC_ENTRY.size
    )  # The section can be longer than the table that it contains.
    entries = [
        (DT_VERNEEDNUM, kept_needs) if entry[0] == DT_VERNEEDNUM else entry
        for entry, is_dropped in zip(
            DYNAMIC_ENTRY.iter_unpack(section.data()[:size]), dropped, strict=True
        )
        if not is_dropped
    ]
    entries += [(DT_NULL, 0)] * sum(dropped)
    for index, entry in enumerate(entries):
        yield section["sh_offset"] + index * DYNAMIC_ENTRY.size, DYNAMIC_ENTRY.pack(*entry)
