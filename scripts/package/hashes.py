"""Write requirements-hashes.txt: `python -m scripts.package.hashes`, after each change of a pin.

The file has the checksums of the wheels for both processors, so that the package is built from
the same files everywhere, or not at all. pip's own index gives the wheels.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from scripts.package.build import HASHES, PINS, WHEEL_MACHINES, pip_wheels

HEAD = """\
# The wheels of requirements.txt in the Lambda package, by checksum. Written by
# `python -m scripts.package.hashes`; do not edit.
"""


def pins(text: str) -> list[str]:
    """Return the pins of a requirements file, such as `numpy==2.4.6`."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def hashes_text(checksums: dict[str, set[str]]) -> str:
    """Return the file's text.

    Args:
        checksums: Pin -> SHA-256 of its wheels.
    """
    return HEAD + "".join(
        pin + "".join(f" \\\n    --hash=sha256:{each}" for each in sorted(checksums[pin])) + "\n"
        for pin in checksums
    )


def main() -> None:
    """Download the wheels for both processors and write their checksums."""
    checksums: dict[str, set[str]] = {}
    for pin in pins(PINS.read_text(encoding="utf-8")):
        checksums[pin] = set()
        for architecture in WHEEL_MACHINES:
            with tempfile.TemporaryDirectory() as folder:
                pip_wheels("download", architecture, [pin, "--dest", folder])
                for wheel in Path(folder).iterdir():
                    checksums[pin].add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    HASHES.write_text(hashes_text(checksums), encoding="utf-8")


if __name__ == "__main__":
    main()
