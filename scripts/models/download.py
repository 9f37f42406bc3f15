"""Download a file and verify its checksum, resuming after broken connections."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from scripts.models.errors import ToolError
from scripts.models.folder import file_sha256

TIMEOUT_SECONDS = (10, 30)
"""Timeout in seconds for connecting and between two chunks."""
CHUNK_BYTES = 1 << 14
"""Bytes per chunk; an incomplete chunk is discarded."""
ATTEMPTS = 5
FREE_BYTES_KEPT = 64 << 20
BAR_WIDTH = 30
BAR_SECONDS = 0.1
TEMPORARY = frozenset({500, 502, 503, 504, 429})

Progress = Callable[[int, int], None]
"""(bytes so far, total bytes)"""


class _BrokenOffError(Exception):
    """The connection ended early; the received part is kept."""


def download(
    url: str,
    path: Path,
    sha256: str,
    size: int,
    progress: Progress,
    *,
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Download a file; `path` only exists afterwards if its checksum is right.

    A partial download is kept as `<name>.part` and resumed now or by the next call. A server
    without range requests sends the whole file again.

    Args:
        url: http or https.
        path: Destination.
        sha256: Expected checksum.
        size: Expected bytes.
        progress: Called after every chunk.
        wait: Sleeps before another attempt.

    Raises:
        ToolError: The download failed, or the file has another checksum.
    """
    part = path.with_name(path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(part.parent).free
    if size + FREE_BYTES_KEPT > free:
        raise ToolError(f"{url} has {size} bytes, but {part.parent} has only {free} free")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _go_on(url, part, size, progress)
            break
        except (requests.RequestException, _BrokenOffError) as error:
            if attempt == ATTEMPTS:
                kept = part.stat().st_size if part.exists() else 0
                raise ToolError(
                    f"{url} cannot be downloaded: {_reason(error)}. {kept} of {size} bytes are "
                    "kept. Run the command again to resume"
                ) from error
            wait(2 ** (attempt - 1))
    if (found := file_sha256(part)) != sha256:
        part.unlink()
        raise ToolError(
            f"{url} has sha256 {found}, but the catalogue says {sha256}. The file was deleted"
        )
    part.replace(path)


def _go_on(url: str, part: Path, size: int, progress: Progress) -> None:
    """Try once to download the missing rest of `part`."""
    done = part.stat().st_size if part.exists() else 0
    if done == size:
        return
    if done > size:
        part.unlink()
        done = 0
    # Without compression, ranges are ranges of the file.
    headers = {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        if response.status_code in TEMPORARY:
            raise _BrokenOffError(f"status {response.status_code}")
        if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
            raise ToolError(f"{url} answered with status {response.status_code}")
        is_rest = response.status_code == requests.codes.partial_content
        if is_rest and not _begins_at(response, done):
            part.unlink()
            raise _BrokenOffError("the server sent another range")
        done = _write(response, part, done if is_rest else 0, size, progress)
    if done > size:
        part.unlink()
        raise ToolError(
            f"{url} has more than the {size} bytes of the catalogue: it is another file"
        )
    if done < size:
        raise _BrokenOffError(f"it ended after {done} of {size} bytes")


def _write(
    response: requests.Response, part: Path, done: int, size: int, progress: Progress
) -> int:
    """Append the response to the `done` bytes of `part`; return the new number of bytes."""
    with part.open("ab" if done else "wb") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            done += len(chunk)
            if done > size:
                break
            file.write(chunk)
            progress(done, size)
    return done


def _begins_at(response: requests.Response, start: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error) or type(error).__name__


class ProgressBar:
    """A progress bar in a terminal; prints nothing elsewhere.

    Args:
        name: Name of the download.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = 0.0

    def __call__(self, done: int, size: int) -> None:
        """Redraw the bar a few times per second."""
        now = time.monotonic()
        if not sys.stderr.isatty() or (done < size and now - self._shown < BAR_SECONDS):
            return
        self._shown = now
        print("\r" + bar(self._name, done, size), end="", file=sys.stderr, flush=True)
        if done == size:
            print(file=sys.stderr)


def bar(name: str, done: int, size: int) -> str:
    """Return the bar for `done` of `size` bytes."""
    filled = BAR_WIDTH * done // max(size, 1)
    drawn = "#" * filled + "." * (BAR_WIDTH - filled)
    return f"{name} [{drawn}] {done / 1e6:.1f} of {size / 1e6:.1f} MB"
