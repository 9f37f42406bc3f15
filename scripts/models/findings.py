"""Fields of a manifest with their reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One field of a manifest.

    Attributes:
        field: Path, such as `input.color`.
        value: JSON value.
        reason: How it is known, or why it is likely.
    """

    field: str
    value: Any
    reason: str


def nested(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the nested manifest; a later finding replaces an earlier one."""
    values: dict[str, Any] = {}
    for finding in findings:
        put(values, finding.field, finding.value)
    return values


def put(values: dict[str, Any], path: str, value: object) -> None:
    """Set the field at a path such as `input.color`; None removes it."""
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
