"""Documents, docstrings, comments and messages are in plain English.

A pattern that is right in one place is not: rewrite the sentence. CONTRIBUTING.md has the rules.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TICS = {
    r"\banew\b": "again",
    r"\bwhoever\b": "anyone who",
    r"\bby way of\b": "through",
    r"\bcan't be had\b": "is unavailable",
    r"\b(?:is|are|was|were|be) told\b": "is written, is shown",
    r"\btells?\b(?!\()": "says, shows, distinguishes",
    r"\bbeside\b": "next to, with",
    r"\bof which\b": "a sentence of its own",
    r"\bthe like\b": "name them",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\bwho asks\b": "the client",
    r"\bgoes on\b|\bgo on with\b|\bgone on\b": "continue",
    r"\bnow and then\b": "sometimes",
    r"\b(?:hence|thus|thereof|whereby|thereby|upon|shall)\b": "so, by, on, must",
    r"\bthat there (?:is|are)(?=[,.;:])": "existing",
    r"\bneed not\b": "do not need to",
    r"\bsays? of\b": "says about",
    r"\bin place of\b": "instead of",
    r"\btaken? for\b": "treated as, mistaken for",
    r"\bmade of\b": "consists of",
    r"\bby (?:itself|themselves)\b": "automatically",
    r"(?<!front )\bdoors\b": "way, front door",
    r"\b(?:nursery|stillborn|to die)\b": "no metaphors",
}
"""Pattern -> what to write instead."""
HEADLESS = re.compile(r"(?:Of|For|Its|That|Whether|What|How|Where|When|Who) ")
"""Matches the start of a docstring that is neither a sentence nor a noun phrase."""

SUFFIXES = {".md", ".py", ".sh", ".yaml", ".yml", ".html", ".toml", ".mjs"}
IGNORED = {"build", "out", "swagger_ui", "results", "dist"}
SELF = Path(__file__)
FILES = sorted(
    path
    for path in ROOT.rglob("*")
    if path.suffix in SUFFIXES
    and path != SELF
    and not {part for part in path.relative_to(ROOT).parts if part in IGNORED or part[0] == "."}
)


def tics(text: str) -> list[str]:
    """Return the matches of all patterns. A phrase may span two lines of a comment."""
    joined = re.sub(r"\s*\n[ \t]*(?:# ?)?", " ", text)
    return [
        f"{joined[max(0, match.start() - 40) : match.end() + 30]!r}: {match[0]!r} -> {instead}"
        for pattern, instead in TICS.items()
        for match in re.finditer(pattern, joined, re.IGNORECASE)
    ]


def headless(source: str) -> list[str]:
    """Return the docstrings that do not start with a sentence or a noun phrase.

    Texts below a constant or an attribute are docstrings, too.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str) and HEADLESS.match(text):
                found.append(text.splitlines()[0])
    return found


def test_plain_english() -> None:
    found = {str(path.relative_to(ROOT)): tics(path.read_text(encoding="utf-8")) for path in FILES}
    assert {name: matches for name, matches in found.items() if matches} == {}


def test_no_merge_conflict_is_left() -> None:
    marker = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
    assert [path for path in FILES if marker.search(path.read_text(encoding="utf-8"))] == []


def test_docstrings_have_a_head() -> None:
    modules = [path for path in FILES if path.suffix == ".py"]
    found = {str(path): headless(path.read_text(encoding="utf-8")) for path in modules}
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is decoded anew.", 1),
        ("# It is read by way\n# of the frame.", 1),
        ("position = file.tell()", 0),
        ("There are three front doors.", 0),
        ("There are four doors.", 1),
        ("Take the pictures that there are, in order.", 1),
        ("Check that there are two.", 0),
    ],
)
def test_a_tic_is_found(text: str, count: int) -> None:
    assert len(tics(text)) == count


def test_a_headless_docstring_is_found() -> None:
    source = 'def f() -> None:\n    """Of a picture."""\n\nX = 1\n"""What it is."""\n'
    assert headless(source) == ["What it is.", "Of a picture."]
    assert headless('"""Return what it is."""\n') == []
