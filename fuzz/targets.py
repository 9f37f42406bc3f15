"""The fuzz targets: which module holds the property, and how libFuzzer is to feed it.

A target's module has one function, ``check(data)``, which takes any bytes and fails with an
AssertionError (or whatever the product raised against its word) where a promise is broken. It
knows nothing of atheris, so the same function runs in plain pytest.
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
    """One thing that strangers' bytes reach.

    Attributes:
        name: Of the target, its module (``fuzz.<name>``) and its corpus (``fuzz/corpus/<name>``).
        promise: What `check` holds, in one line.
        max_bytes: The longest input that libFuzzer makes.
        max_seconds: For one input; one that takes longer is a finding. On a busy machine, with
            every comparison traced, a BMP that takes 20 ms by itself has taken 10 s.
        instrumented: The Python modules that the fuzzer is to see its way through; importing them
            takes it some seconds.
        more_seeds: Further folders of seeds, which are kept elsewhere for other tests.
    """

    name: str
    promise: str
    max_bytes: int
    max_seconds: int
    instrumented: tuple[str, ...]
    more_seeds: tuple[Path, ...] = ()

    @property
    def seed_folders(self) -> tuple[Path, ...]:
        """Where its committed seeds are, the target's own folder first."""
        return (CORPUS / self.name, *self.more_seeds)

    def seeds(self) -> dict[str, bytes]:
        """Content by file name, in the names' order."""
        paths = (path for folder in self.seed_folders for path in sorted(folder.iterdir()))
        return {path.name: path.read_bytes() for path in paths if path.is_file()}

    def load(self) -> Check:
        """Import the target's module, and what it tests with it."""
        check: Check = import_module(f"fuzz.{self.name}").check
        return check


TARGETS = {
    target.name: target
    for target in (
        Target(
            "event",
            "every event has a well-formed answer of the documented ones",
            max_bytes=16_384,
            max_seconds=30,
            instrumented=("gateway", "service", "json", "base64"),
            more_seeds=(ROOT / "tests" / "events",),
        ),
        Target(
            "multipart",
            "a form is refused, or read as the parts it has, in their order",
            # Long enough that time which grows with the square of the length would show.
            max_bytes=65_536,
            max_seconds=30,
            instrumented=("gateway",),
        ),
        Target(
            "decode",
            "a file is refused, or becomes pixels within the limit that its header was held to",
            max_bytes=16_384,
            max_seconds=30,
            # Not Pillow's decoders, which are C.
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
