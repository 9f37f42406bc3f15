"""scripts/release.py refuses a tag, a version and a changelog that do not agree."""

from __future__ import annotations

import pytest

from scripts.release import ReleaseError, notes

CHANGELOG = (
    "# Changelog\n\n## [1.2.0] - 2026-01-02\n\n### Added\n\n- A.\n\n## [1.1.0] - 2026-01-01\n"
)


def test_the_notes_are_the_newest_entry() -> None:
    assert notes("v1.2.0", "1.2.0", CHANGELOG) == "### Added\n\n- A."


def test_an_empty_section_for_the_next_release_is_fine() -> None:
    changelog = CHANGELOG.replace("## [1.2.0]", "## [Unreleased]\n\n## [1.2.0]")
    assert notes("v1.2.0", "1.2.0", changelog) == "### Added\n\n- A."


@pytest.mark.parametrize(
    ("tag", "version", "changelog"),
    [
        ("1.2.0", "1.2.0", CHANGELOG),
        ("v1.1.0", "1.2.0", CHANGELOG),
        ("v1.3.0", "1.3.0", CHANGELOG),
        ("v1.2.0", "1.2.0", CHANGELOG.replace("2026-01-02", "Unreleased")),
        (
            "v1.2.0",
            "1.2.0",
            CHANGELOG.replace("## [1.2.0]", "## [Unreleased]\n\n- B.\n\n## [1.2.0]"),
        ),
        ("v1.2.0", "1.2.0", ""),
    ],
    ids=["tag without v", "older tag", "no entry", "no date", "unreleased changes", "no changelog"],
)
def test_a_release_that_does_not_agree_is_refused(tag: str, version: str, changelog: str) -> None:
    with pytest.raises(ReleaseError):
        notes(tag, version, changelog)
