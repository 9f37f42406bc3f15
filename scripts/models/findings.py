"""Fields of a manifest with their reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scripts.models.errors import ToolError


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
    """Set the field at a path such as `input.color`; None removes it.

    A number selects an object of a list: `output.outputs.0.activation`.

    Raises:
        ToolError: The path leads into a list without such an object.
    """
    *parents, name = path.split(".")
    place: Any = values
    for parent in parents:
        place = _child(place, parent)
    if not isinstance(place, dict):
        raise ToolError(f"--set {path}: there is no such field. Set the whole list")
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value


def _child(place: Any, name: str) -> Any:  # noqa: ANN401  JSON can be anything
    """Return an object's field, created if absent, or a list's element, or None."""
    if isinstance(place, list):
        return place[int(name)] if name.isdecimal() and int(name) < len(place) else None
    if not isinstance(place, dict):
        return None
    if not isinstance(place.get(name), dict | list):
        place[name] = {}
    return place[name]
