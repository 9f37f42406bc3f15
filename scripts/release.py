"""Check a release and print its notes: `python -m scripts.release v0.2.0`.

The tag must be `v` and the version in service/__init__.py, and the newest entry of CHANGELOG.md
must have this version and a date; a section `Unreleased` must be empty. The output is that entry.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from service import VERSION

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
ENTRY = re.compile(r"^## \[([\d.]+)\] - (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
UNRELEASED = re.compile(
    r"^## \[Unreleased\][^\n]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE
)


class ReleaseError(Exception):
    """The tag, the version and the changelog do not agree; the message says what to change."""


def notes(tag: str, version: str, changelog: str) -> str:
    """Return the notes of a release.

    Raises:
        ReleaseError: The tag, the version and the changelog do not agree.
    """
    if tag != f"v{version}":
        raise ReleaseError(f"The tag {tag} is not v{version} (service/__init__.py). Change one.")
    unreleased = UNRELEASED.search(changelog)
    if unreleased is not None and unreleased[1].strip():
        raise ReleaseError(f"CHANGELOG.md has unreleased changes. Move them to {version}.")
    newest = ENTRY.search(changelog)
    if newest is None or newest[1] != version:
        raise ReleaseError(f"The newest entry of CHANGELOG.md is not {version}. Add it.")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", newest[2]):
        raise ReleaseError(f"CHANGELOG.md has no date for {version}. Replace {newest[2]!r}.")
    return newest[3].strip()


def main() -> int:
    """Print the notes of the release; return 1 if something does not agree."""
    parser = argparse.ArgumentParser(description="Check a release and print its notes.")
    parser.add_argument("tag", help="tag of the release, such as v0.2.0")
    tag = parser.parse_args().tag
    try:
        print(notes(tag, VERSION, CHANGELOG.read_text(encoding="utf-8")))
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
