"""New pictures of a folder, for `matchvec --watch`."""

from __future__ import annotations

from pathlib import Path

from matchvec_client.errors import UsageError
from matchvec_client.sources import Source, expand

POLL_SECONDS = 2.0


class Watch:
    """The pictures of a folder; a picture is ready when two polls in a row see the same file.

    A file that is still being copied changes its size or time between two polls. Folders are
    polled, because notifications of the file system need another package and fail on network
    drives.

    Args:
        folder: Folder, searched recursively.
    """

    def __init__(self, folder: Path) -> None:
        """Start without pictures."""
        self._folder = folder
        self._last: dict[str, Source] = {}
        self._ready: dict[str, Source] = {}

    def poll(self) -> list[Source]:
        """Return the pictures that became ready, new or changed."""
        try:
            found = {source.name: source for source in expand(self._folder)}
        except UsageError:  # The folder has no pictures yet.
            found = {}
        stable = [source for name, source in found.items() if self._last.get(name) == source]
        new = [source for source in stable if self._ready.get(source.name) != source]
        self._ready.update({source.name: source for source in new})
        self._last = found
        return new

    @property
    def ready(self) -> list[Source]:
        """All pictures that are or were ready, in the order of their arrival."""
        return list(self._ready.values())
