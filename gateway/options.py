"""Options of the picture routes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import BadOption

NUMBER_PATTERN = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e-?[0-9]+)?", re.ASCII | re.IGNORECASE)
MAX_TOP = 20
DEFAULT_TOP = 5
OPTION_NAMES = frozenset({"threshold", "top", "details", "strict"})


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one request.

    Attributes:
        threshold: Lowest detection score to return, 0..1; None for the configured threshold.
        top: Number of classes to return per vehicle, 1..20.
        details: True to return the detailed object instead of the bare array.
        strict: True to respond with 422 if no picture could be answered.
    """

    threshold: float | None = None
    top: int = DEFAULT_TOP
    details: bool = False
    strict: bool = False


def parse_options(query: Mapping[str, str]) -> Options:
    """Parse the options and ignore other names.

    Raises:
        BadOption: A value is invalid; the message names the option, the value and the range.
    """
    return Options(
        threshold=_number(query, "threshold"),
        top=_count(query, "top"),
        details=_switch(query, "details"),
        strict=_switch(query, "strict"),
    )


def _number(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name)
    if text is None:
        return None
    # float() also accepts "0_1", " 0.5", "nan" and Arabic-Indic digits.
    if NUMBER_PATTERN.fullmatch(text) and 0 <= (value := float(text)) <= 1:
        return value
    raise _bad_option(name, text, "a number from 0 to 1")


def _count(query: Mapping[str, str], name: str) -> int:
    text = query.get(name)
    if text is None:
        return DEFAULT_TOP
    # int() also accepts "1_0", " 5" and Arabic-Indic digits.
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_TOP)):
        value = int(text)
        if 1 <= value <= MAX_TOP:
            return value
    raise _bad_option(name, text, f"a whole number from 1 to {MAX_TOP}")


def _switch(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "false")
    if text.lower() not in ("true", "false"):
        raise _bad_option(name, text, "true or false")
    return text.lower() == "true"


def _bad_option(name: str, text: str, expected: str) -> BadOption:
    return BadOption(f"Option {name}={text[:40]!r} is not {expected}.")
