"""Typed reading of JSON objects that people write by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from inference.errors import ManifestError

MAX_NUMBER = 1e6
"""JSON's numbers have no end, and Python's `json` takes NaN and Infinity too."""


MAX_AXES = 4
"""Of an array in a manifest."""

Numbers: TypeAlias = "float | Sequence[Numbers]"
"""A number, or lists of lists of them."""


class JsonReader:
    """One JSON object, read field by field; every complaint names the field's full path.

    Args:
        where: What messages call the object, such as ``models/x/manifest.json: input``.
        values: The object.
    """

    def __init__(self, where: str, values: object) -> None:
        """Check that it is an object at all."""
        if not isinstance(values, Mapping):
            raise ManifestError(f"{where} must be a JSON object, not {_show(values)}.")
        self._where = where
        self._values: Mapping[str, Any] = values
        self._read: set[str] = set()

    def refuse(self, name: str, wanted: str) -> ManifestError:
        """The error for a field that is not what it should be, to be raised by the caller."""
        path = f"{self._where}.{name}"
        if name not in self._values:
            return ManifestError(f"{path} is missing: it must be {wanted}.")
        return ManifestError(f"{path} must be {wanted}, not {_show(self._values[name])}.")

    def finish(self) -> None:
        """Refuse fields that nobody asked for: they are misspelt, or promise what is not done."""
        if unknown := sorted(set(self._values) - self._read):
            known = ", ".join(sorted(self._read))
            raise ManifestError(f"{self._where} has unknown fields {unknown}; known: {known}.")

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        self._read.add(name)
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str:
        """Text that is not empty."""
        value = self._get(name, default)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(name, "text that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        """Text that is not empty, or None where the field is missing."""
        return self.text(name) if self.has(name) else None

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """One of several words."""
        value = self._get(name, default)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(name, "one of " + ", ".join(sorted(choices)))
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self.refuse(name, "true or false")
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        value = self._get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.refuse(name, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`."""
        value = self._get(name, default)
        if not _is_number(value) or not low <= value <= high:
            raise self.refuse(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def triple(self, name: str, default: tuple[float, float, float]) -> tuple[float, float, float]:
        """Three numbers, one per colour channel, none beyond `MAX_NUMBER`."""
        value = self._get(name, default)
        if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(_is_small, value)):
            raise self.refuse(name, f"three numbers from {-MAX_NUMBER:g} to {MAX_NUMBER:g}")
        return (float(value[0]), float(value[1]), float(value[2]))

    def integers(self, name: str) -> tuple[int, ...]:
        """A list of positive whole numbers."""
        value = self._get(name, None)
        if not _is_list_of(value, int) or any(number < 1 for number in value):
            raise self.refuse(name, "a list of positive whole numbers")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self._get(name, None)
        if not _is_list_of(value, str):
            raise self.refuse(name, "a list of texts")
        return tuple(value)

    def arrays(self, name: str) -> tuple[tuple[str, Numbers], ...]:
        """An object whose values are numbers, or nested lists of them, none beyond `MAX_NUMBER`."""
        value = self._get(name, None)
        if not isinstance(value, dict) or not all(map(_is_array, value.values())):
            raise self.refuse(name, "an object of numbers, or of nested lists of them")
        return tuple(value.items())

    def object(self, name: str) -> JsonReader:
        """An object inside this one."""
        return JsonReader(f"{self._where}.{name}", self._get(name, None))

    def objects(self, name: str) -> tuple[JsonReader, ...]:
        """A list of objects inside this one."""
        value = self._get(name, None)
        if not isinstance(value, list) or not value:
            raise self.refuse(name, "a list of objects")
        return tuple(JsonReader(f"{self._where}.{name}[{i}]", item) for i, item in enumerate(value))

    def _get(self, name: str, default: Any) -> Any:  # noqa: ANN401  JSON can be anything
        self._read.add(name)
        return self._values.get(name, default)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_small(value: object) -> bool:
    """Whether it is a number that float32 can work with; NaN and infinity are not."""
    return isinstance(value, int | float) and _is_number(value) and abs(value) <= MAX_NUMBER


def _is_array(value: object, depth: int = MAX_AXES) -> bool:
    if isinstance(value, list) and value and depth:
        return all(_is_array(item, depth - 1) for item in value)
    return _is_small(value)


def _is_list_of(value: object, kind: type) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, kind) and not isinstance(item, bool) for item in value)
    )


def _show(value: object) -> str:
    return repr(value)[:60]
