"""Questions to whoever sits at the terminal."""

from __future__ import annotations

import sys

from scripts.models.errors import ToolError

FLAGS = {"labels": "--labels", "licence": "--licence", "vehicles": "--vehicles"}


def ask(topic: str, question: str, default: str) -> str:
    """The user's answer; an empty one is the default.

    Args:
        topic: One of `FLAGS`.
        question: Without the default, which is shown behind it.
        default: "" for none: the question is put again.

    Raises:
        ToolError: There is no terminal, and no default that may stand without being seen.
    """
    if not sys.stdin.isatty():
        if topic == "licence":
            return default
        hint = f", such as {FLAGS[topic]} {default}" if default else ""
        raise ToolError(f"{question}: say it with {FLAGS[topic]}{hint}")
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        try:
            answer = input(shown).strip() or default
        except EOFError as error:
            raise ToolError(f"{question}: say it with {FLAGS[topic]}") from error
        if answer:
            return answer
