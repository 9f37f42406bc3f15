"""The fuzz targets: their modules, seeds and limits.

A target's module has one function, ``check(data)``, which takes any bytes and raises an
AssertionError (or an undocumented exception of the product) if the property is violated. It does
not depend on atheris, so pytest runs the same function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "fuzz" / "corpus"

Check = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """One entry point for untrusted bytes.

    Attributes:
        name: Name of the target, its module (``fuzz.<name>``) and corpus (``fuzz/corpus/<name>``).
        claim: The property that `check` verifies, in one line.
        max_bytes: Maximum length of an input.
        max_seconds: Maximum time for one input; a longer run is a finding. With tracing on a busy
            machine, a BMP that normally takes 20 ms once took 10 s.
        instrumented: Python modules that the fuzzer instruments, which takes some seconds.
        more_seeds: Further folders of seeds, shared with other tests.
    """

    name: str
    claim: str
    max_bytes: int
    max_seconds: int
    instrumented: tuple[str, ...]
    more_seeds: tuple[Path, ...] = ()

    @property
    def seed_folders(self) -> tuple[Path, ...]:
        """Folders of committed seeds, the target's own folder first."""
        return (CORPUS / self.name, *self.more_seeds)

    def seeds(self) -> dict[str, bytes]:
        """Return contents by file name, sorted by name."""
        paths = (path for folder in self.seed_folders for path in sorted(folder.iterdir()))
        return {path.name: path.read_bytes() for path in paths if path.is_file()}

    def load(self) -> Check:
        """Import the target's module and return its check."""
        check: Check = import_module(f"fuzz.{self.name}").check
        return check


TARGETS = {
    target.name: target
    for target in (
        Target(
            "event",
            "every event gets a well-formed, documented answer",
            max_bytes=16_384,
            max_seconds=30,
            instrumented=("gateway", "service", "json", "base64"),
            more_seeds=(ROOT / "tests" / "events",),
        ),
        Target(
            "multipart",
            "a form is refused, or its parts are read in order",
            # Long enough to reveal running time that grows with the square of the length.
            max_bytes=65_536,
            max_seconds=30,
            instrumented=("gateway",),
        ),
        Target(
            "decode",
            "a file is refused, or decoded to pixels within the limit checked in its header",
            max_bytes=16_384,
            max_seconds=30,
            # Pillow's decoders are C and cannot be instrumented.
            instrumented=("inference", "PIL"),
        ),
        Target(
            "fetch",
            "no url and no server's answer leads to an internal address or past a limit",
            max_bytes=8_192,
            max_seconds=30,
            instrumented=("gateway", "http.client", "email", "urllib.parse", "ipaddress"),
        ),
    )
}
