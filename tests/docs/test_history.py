"""CHANGELOG.md and docs/decisions.md keep the form that they say they have."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
"""In this order: https://keepachangelog.com/en/1.1.0/."""


def test_releases_have_each_kind_of_change_once_and_in_order() -> None:
    for release in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds]
    assert CHANGELOG.count("## [Unreleased]") == 1


def test_a_change_is_told_once() -> None:
    changes = re.findall(r"^- (.+)$", CHANGELOG, re.MULTILINE)
    assert len(changes) == len(set(changes))


def test_decisions_are_in_order_and_told_once() -> None:
    headings = re.findall(r"^## (\d{4}-\d{2}-\d{2}): (.+)$", DECISIONS, re.MULTILINE)
    assert len(headings) == DECISIONS.count("\n## ")
    assert [date for date, _ in headings] == sorted(date for date, _ in headings)
    assert len({title for _, title in headings}) == len(headings)
