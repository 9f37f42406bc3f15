"""Ask the user questions in the terminal."""

from __future__ import annotations

import sys

from scripts.models.errors import ToolError

FLAGS = {"labels": "--labels", "licence": "--licence", "vehicles": "--vehicles"}


def ask(topic: str, question: str, default: str) -> str:
    """Return the user's answer; an empty answer means the default.

    Args:
        topic: A key of `FLAGS`.
        question: The question without its default.
        default: The default; "" to repeat the question until it is answered.

    Raises:
        ToolError: There is no terminal, and the default must not be used unseen.
    """
    if not sys.stdin.isatty():
        if topic == "licence":
            return default
        hint = f", such as {FLAGS[topic]} {default}" if default else ""
        raise ToolError(f"{question}: pass {FLAGS[topic]}{hint}")
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        try:
            answer = input(shown).strip() or default
        except EOFError as error:
            raise ToolError(f"{question}: pass {FLAGS[topic]}") from error
        if answer:
            return answer
