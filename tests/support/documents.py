"""Reads Markdown documents whose commands a test runs and whose answers it compares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_PIXELS_OFF = 4
MAX_SCORE_OFF = 0.02
CHANGING = frozenset({"request_id", "timing_ms", "sha256", "version"})
"""Fields whose values are examples: they differ in every request or after every training."""

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_FENCE = re.compile(r"^[ \t>]*(?:```|~~~)", re.MULTILINE)
INDENTED = re.compile(r"^(?:[ ]{4}|\t)\s*(?:curl|make|python|pip|\.venv|scripts/)\b", re.MULTILINE)
"""Matches a command in an indented code block."""

ANSWERS = ("json", "http")


@dataclass(frozen=True, slots=True)
class Block:
    """A command of a document and the answer shown below it.

    Attributes:
        document: Path of the document.
        command: Command that the user types.
        start: The nearest `make start` command above.
        kind: `json`, `http`, or "" for no answer.
        answer: Text of the answer.
    """

    document: Path
    command: str
    start: str
    kind: str
    answer: str


def read_fences(text: str) -> list[tuple[str, str]]:
    """Return language and content of each fenced block, in order."""
    return [(match[1], match[2].strip()) for match in FENCE.finditer(text)]


def read_blocks(document: Path) -> list[Block]:
    """Return the shell blocks of a document. Without a `make start` above, it is the plain one."""
    fences = read_fences(document.read_text(encoding="utf-8"))
    blocks, start = [], "make start"
    for (kind, command), (next_kind, answer) in zip(fences, [*fences[1:], ("", "")], strict=True):
        if kind == "shell":
            start = command if command.endswith("make start") else start
            shown = next_kind if next_kind in ANSWERS else ""
            blocks.append(Block(document, command, start, shown, answer if shown else ""))
    return blocks


def unread_code(text: str) -> list[str]:
    """Return code that `read_fences` does not find: indented, quoted or without a language."""
    fences = len(ANY_FENCE.findall(text)) - 2 * len(FENCE.findall(text))
    outside = FENCE.sub("", text)
    return [*["a fence"] * fences, *(match.strip() for match in INDENTED.findall(outside))]


def write_answer(block: Block, answer: str) -> None:
    """Replace the answer of a block in its document."""
    text = block.document.read_text(encoding="utf-8")
    above = f"```shell\n{block.command}\n```\n\n```{block.kind}\n"
    assert text.count(above + block.answer) == 1
    new = text.replace(above + block.answer, above + answer)
    block.document.write_text(new, encoding="utf-8")


def assert_alike(shown: Any, real: Any, key: str = "") -> None:
    """Fail unless two answers agree. Boxes and scores may differ a little between CPUs."""
    if key in CHANGING:
        assert type(shown) is type(real), key
    elif isinstance(shown, dict):
        assert list(shown) == list(real), key
        for name, value in shown.items():
            assert_alike(value, real[name], name)
    elif isinstance(shown, list):
        assert len(shown) == len(real), key
        for shown_item, real_item in zip(shown, real, strict=True):
            assert_alike(shown_item, real_item, key)
    elif key in {"x1", "y1", "x2", "y2"}:
        assert abs(shown - real) <= MAX_PIXELS_OFF, key
    elif isinstance(shown, float):
        assert abs(shown - real) <= MAX_SCORE_OFF, key
    elif key == "label":
        (shown_name, shown_score), (name, score) = shown.split(": "), real.split(": ")
        assert shown_name == name
        assert abs(float(shown_score) - float(score)) <= MAX_SCORE_OFF
    else:
        assert shown == real, key
