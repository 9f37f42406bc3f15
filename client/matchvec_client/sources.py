"""Inputs of a call, and the pictures behind them, each once, in order."""

from __future__ import annotations

import glob
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from matchvec_client.errors import InputTypeError, UsageError
from matchvec_client.images import (
    ChannelOrder,
    encode_array,
    encode_image,
    is_array,
    is_pil_image,
)

PICTURE_SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jfif",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".avif",
    }
)
"""Suffixes of the files that are taken from a folder; a named file is sent whatever its suffix."""
ACCEPTED_TYPES = (
    "a path, folder, glob or URL (str or os.PathLike), bytes, a file opened in binary mode, "
    "a PIL image, a NumPy array with channel_order, or an iterable of these"
)


class ReadableFile(Protocol):
    """A file object opened in binary mode."""

    def read(self, size: int = ..., /) -> bytes:
        """Return the bytes of the file."""


class ImageLike(Protocol):
    """A PIL image; a protocol, because Pillow is optional."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""

    @property
    def mode(self) -> str:
        """Pixel format, such as ``RGB``."""


class ArrayLike(Protocol):
    """A NumPy array; a protocol, because NumPy is optional."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """Height, width and channels."""

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """NumPy's description of the memory."""


Given = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | ReadableFile | ImageLike | ArrayLike
)
"""An input: a path, folder, glob or URL, or a picture in memory."""


@dataclass(frozen=True, slots=True)
class Source:
    """A picture to send.

    Attributes:
        name: The path or URL as given; for pictures in memory their position.
        path: Path of a file; None: not a file.
        content: Bytes of a picture in memory; None: not in memory.
        size: Size of the file, or of the URL's text, in bytes.
        mtime_ns: Time of the file's last change, in nanoseconds since 1970.
    """

    name: str
    path: Path | None = None
    content: bytes | None = field(default=None, repr=False)
    size: int = 0
    mtime_ns: int | None = None

    @property
    def is_url(self) -> bool:
        """True if the API fetches the picture."""
        return self.path is None and self.content is None


@dataclass(slots=True)
class Skipped:
    """Files of folders that are not sent, by reason."""

    by_reason: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, path: str) -> None:
        """Record a skipped file."""
        self.by_reason[reason].append(path)

    @property
    def count(self) -> int:
        """Number of skipped files."""
        return sum(map(len, self.by_reason.values()))


def expand(
    given: Iterable[Given] | Given,
    *,
    channel_order: ChannelOrder | None = None,
    skipped: Skipped | None = None,
) -> list[Source]:
    """Return the pictures behind inputs, each once.

    Folders are searched recursively, in the order of names, for files with a suffix of
    `PICTURE_SUFFIXES`; hidden files are left out.

    Args:
        given: One input or an iterable of inputs.
        channel_order: Channel order of NumPy arrays.
        skipped: Collects the files of folders that are not sent.

    Raises:
        InputTypeError: An input has a type that is not accepted; it is a TypeError.
        UsageError: A path does not exist, a folder has no pictures, or an array is invalid.
        PillowMissing: PIL images and arrays need Pillow.
    """
    skipped = Skipped() if skipped is None else skipped
    found: dict[str, Source] = {}
    for position, each in enumerate(_listed(given)):
        if isinstance(each, str | os.PathLike):
            for source in _expand_path(_text(each), skipped):
                key = source.name if source.is_url else os.path.abspath(source.name)
                if found.setdefault(key, source) is not source:
                    skipped.add("named twice", source.name)
            continue
        kind, content = _content(each, channel_order)
        name = getattr(each, "name", None) if kind == "file" else None
        name = name if isinstance(name, str) and name else f"{kind}[{position}]"
        found[f"{position}:{name}"] = Source(name, content=content, size=len(content))
    return list(found.values())


def _listed(given: Any) -> Iterable[Any]:  # noqa: ANN401  any input
    if isinstance(given, str | bytes | bytearray | memoryview | os.PathLike):
        return [given]
    if is_pil_image(given) or is_array(given) or hasattr(given, "read"):
        return [given]
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise _wrong_type(given)
    return given


def _text(path: str | os.PathLike[Any]) -> str:
    text = os.fspath(path)
    return os.fsdecode(text) if isinstance(text, bytes) else text


def _content(value: Any, channel_order: ChannelOrder | None) -> tuple[str, bytes]:  # noqa: ANN401
    """Return the kind of an input in memory, and its file's bytes."""
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes", bytes(value)
    if is_pil_image(value):
        return "image", encode_image(value)
    if is_array(value):
        return "array", encode_array(value, channel_order)
    if hasattr(value, "read"):
        content = value.read()
        if isinstance(content, bytes | bytearray):
            return "file", bytes(content)
        raise InputTypeError(
            "The file is opened in text mode. Open it in binary mode: open(path, 'rb')."
        )
    raise _wrong_type(value)


def _wrong_type(value: object) -> InputTypeError:
    return InputTypeError(f"{type(value).__name__} is not accepted. Pass {ACCEPTED_TYPES}.")


def _expand_path(text: str, skipped: Skipped) -> list[Source]:
    if text.lower().startswith(("http://", "https://")):
        return [Source(text, size=len(text.encode("utf-8", "replace")))]
    if os.path.isdir(text):
        if found := [_file(path) for path in _walk(text, skipped)]:
            return found
        suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
        raise UsageError(f"No pictures in {text}. Files with these suffixes are sent: {suffixes}.")
    if os.path.exists(text):
        return [_file(text)]
    # Shells expand globs, except on Windows and in quotes.
    if glob.has_magic(text) and (paths := sorted(glob.glob(text, recursive=True))):
        # `photos/*` matches files and folders; folders are replaced by their pictures.
        return [
            _file(path)
            for match in paths
            for path in (_walk(match, skipped) if os.path.isdir(match) else [match])
        ]
    raise UsageError(f"No such file or folder: {text}")


def _walk(folder: str, skipped: Skipped) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        for name in folders:
            if name.startswith("."):
                skipped.add("hidden folder", os.path.join(parent, name))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(parent, name)
            suffix = os.path.splitext(name)[1].lower()
            if name.startswith("."):  # macOS writes "._photo.jpg" next to photo.jpg.
                skipped.add("hidden file", path)
            elif suffix not in PICTURE_SUFFIXES:
                skipped.add(f"not a picture ({suffix or 'no suffix'})", path)
            else:
                yield path


def _file(path: str) -> Source:
    try:
        status = os.stat(path)
    except OSError:  # Deleted meanwhile, or a dead link; reading it reports the error.
        return Source(os.path.normpath(path), Path(path))
    return Source(
        os.path.normpath(path), Path(path), size=status.st_size, mtime_ns=status.st_mtime_ns
    )
