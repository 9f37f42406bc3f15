"""Links between the documents of the project lead to files and headings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.documents import FENCE

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
IGNORED = {"build", "out"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    and path.relative_to(ROOT).parts[0] not in IGNORED
)


def anchor(heading: str) -> str:
    """Return a heading's anchor on GitHub: lower case, no punctuation, dashes for spaces."""
    text = LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the anchors of a document. The second heading of a name ends with "-1", and so on."""
    found: dict[str, int] = {}
    result = set()
    for match in HEADING.finditer(FENCE.sub("", text)):
        name = anchor(match[1])
        count = found[name] = found.get(name, -1) + 1
        result.add(f"{name}-{count}" if count else name)
    return result


def broken_links(document: Path, text: str) -> list[str]:
    """Return the links of a document that lead to no file or heading of the project."""
    broken = []
    for link in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if name and not (target.exists() and target.is_relative_to(ROOT)):
            broken.append(link)
        elif fragment and target.suffix == ".md":
            there = target.read_text(encoding="utf-8") if name else text
            if fragment not in anchors(there):
                broken.append(link)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    assert broken_links(document, document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[a](docs/nothing.md)", ["docs/nothing.md"]),
        ("[a](#nothing)", ["#nothing"]),
        ("## A `b`, c\n\n[a](#a-b-c)", []),
        ("[a](README.md#nothing)", ["README.md#nothing"]),
        ("![a](docs/images/street.jpg) [a](https://example.com/nothing.md)", []),
        ("[a](../other)", ["../other"]),
        ("```shell\n[a](nothing)\n```\n", []),
    ],
)
def test_a_broken_link_fails(text: str, broken: list[str]) -> None:
    assert broken_links(ROOT / "TEXT.md", text) == broken
