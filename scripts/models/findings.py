"""What is believed about a model, field by field of its manifest, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One field of a manifest.

    Attributes:
        field: Its path, such as `input.color`.
        value: As JSON has it.
        reason: Where it is known from, or why it is likely.
    """

    field: str
    value: Any
    reason: str


def nested(findings: Iterable[Finding]) -> dict[str, Any]:
    """The manifest's objects with these fields; a later finding replaces an earlier one."""
    values: dict[str, Any] = {}
    for finding in findings:
        put(values, finding.field, finding.value)
    return values


def put(values: dict[str, Any], path: str, value: object) -> None:
    """Set the field at a path such as `input.color`; None takes it away."""
    *parents, name = path.split(".")
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            inner = values[parent] = {}
        values = inner
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
