"""What the user names -> the pictures to send, each once, in order."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matchvec_client.errors import UsageError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
"""What is taken from a folder; a file that is named itself is sent whatever its suffix."""

Given = str | os.PathLike[str] | bytes
"""A file, a folder, a glob, a url, or a picture's bytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """A picture to send.

    Attributes:
        name: As it was given: the path, or the url.
        path: Of a file.
        content: Of a picture that is in memory.
        size: Bytes of the file; of a url, of its text.
        mtime_ns: When the file was last changed, in nanoseconds since 1970.
    """

    name: str
    path: Path | None = None
    content: bytes | None = None
    size: int = 0
    mtime_ns: int | None = None

    @property
    def is_url(self) -> bool:
        """Whether the API is to fetch it."""
        return self.path is None and self.content is None


def expand(given: Iterable[Given] | Given) -> list[Source]:
    """The pictures behind paths, folders, globs, urls and bytes.

    Folders are searched with all that is below them, in the order of names, for files with a
    picture's suffix; hidden ones are left out. A picture that is reached twice is taken once.

    Raises:
        UsageError: Nothing is there.
    """
    if isinstance(given, str | bytes | os.PathLike):
        given = [given]
    found: dict[str, Source] = {}
    for position, each in enumerate(given):
        if isinstance(each, bytes):
            name = f"bytes[{position}]"
            found[name] = Source(name, content=each, size=len(each))
            continue
        for source in _expand_one(os.fspath(each)):
            key = source.name if source.is_url else os.path.abspath(source.name)
            found.setdefault(key, source)
    return list(found.values())


def _expand_one(text: str) -> list[Source]:
    if text.lower().startswith(("http://", "https://")):
        return [Source(text, size=len(text.encode("utf-8", "replace")))]
    if os.path.isdir(text):
        if found := [_file(path) for path in _walk(text)]:
            return found
        raise UsageError(f"No pictures in {text}: {', '.join(sorted(PICTURE_SUFFIXES))} are taken.")
    if os.path.exists(text):
        return [_file(text)]
    # Shells of Windows hand globs on; and of a quoted one, every shell does.
    if glob.has_magic(text) and (paths := sorted(glob.glob(text, recursive=True))):
        # A folder counts only by its pictures, if it has any: `photos/*` names both kinds.
        return [
            _file(path)
            for match in paths
            for path in (_walk(match) if os.path.isdir(match) else [match])
        ]
    raise UsageError(f"No such file or folder: {text}")


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            # macOS writes "._photo.jpg" beside photo.jpg on foreign disks.
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES:
                yield os.path.join(parent, name)


def _file(path: str) -> Source:
    try:
        status = os.stat(path)
    except OSError:  # Gone since it was listed, or a dead link: reading it will say which.
        return Source(os.path.normpath(path), Path(path))
    return Source(
        os.path.normpath(path), Path(path), size=status.st_size, mtime_ns=status.st_mtime_ns
    )
