"""The structure of CHANGELOG.md and docs/decisions.md."""

from __future__ import annotations

import re
from pathlib import Path

from matchvec_client import __version__ as client_version
from service import VERSION

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
"""In this order: https://keepachangelog.com/en/1.1.0/."""
RELEASE = re.compile(r"^## \[([\d.]+)\] - (\d{4}-\d{2}-\d{2}|Unreleased)$", re.MULTILINE)
DECISION = re.compile(r"^## (\d{4}-\d{2}-\d{2}: .+)$", re.MULTILINE)
PARTS = ["**Context.**", "**Decision.**", "**Consequences.**"]


def sections(text: str) -> list[str]:
    return re.split(r"^## ", text, flags=re.MULTILINE)[1:]


def test_the_newest_release_is_the_version() -> None:
    versions = RELEASE.findall(CHANGELOG)
    assert len(versions) == len(sections(CHANGELOG))
    assert versions[0][0] == VERSION == client_version


def test_releases_have_each_kind_of_change_once_and_in_order() -> None:
    for release in sections(CHANGELOG):
        kinds = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds]


def test_decisions_have_their_parts() -> None:
    for decision in sections(DECISIONS):
        assert re.findall(r"^\*\*\w+\.\*\*", decision, re.MULTILINE) == PARTS


def test_decisions_are_in_order_and_unique() -> None:
    headings = DECISION.findall(DECISIONS)
    dates = [heading[:10] for heading in headings]
    assert len(headings) == len(sections(DECISIONS)) == len(set(headings))
    assert dates == sorted(dates)


def test_superseding_decisions_exist() -> None:
    superseded = re.findall(r'^Superseded by "(.+)"\.$', DECISIONS, re.MULTILINE)
    assert superseded
    assert set(superseded) <= set(DECISION.findall(DECISIONS))
