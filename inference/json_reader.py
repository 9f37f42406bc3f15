"""Typed access to JSON objects that people write by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from inference.errors import ManifestError

MAX_NUMBER = 1e6
"""Largest magnitude of a number: JSON has no limit, and Python also reads NaN and Infinity."""

MAX_AXES = 4
"""Axes of an array in a manifest."""

Numbers: TypeAlias = "float | Sequence[Numbers]"
"""A number or nested lists of numbers."""


class JsonReader:
    """A JSON object that is read field by field; errors name the full path of the field.

    Args:
        where: Name of the object in errors, such as ``models/x/manifest.json: input``.
        values: The parsed object.
    """

    def __init__(self, where: str, values: object) -> None:
        """Check that the value is an object; raise ManifestError if not."""
        if not isinstance(values, Mapping):
            raise ManifestError(f"{where} must be a JSON object, not {_show(values)}.")
        self._where = where
        self._values: Mapping[str, Any] = values
        self._read: set[str] = set()

    def refuse(self, name: str, wanted: str) -> ManifestError:
        """Return the error for an invalid or missing field, for the caller to raise."""
        path = f"{self._where}.{name}"
        if name not in self._values:
            return ManifestError(f"{path} is missing. It must be {wanted}.")
        return ManifestError(f"{path} must be {wanted}, not {_show(self._values[name])}.")

    def finish(self) -> None:
        """Raise ManifestError for fields that were not read: they are misspelt or unsupported."""
        if unknown := sorted(set(self._values) - self._read):
            known = ", ".join(sorted(self._read))
            raise ManifestError(
                f"{self._where} has unknown fields {unknown}. Known fields: {known}."
            )

    def has(self, name: str) -> bool:
        """Return whether the field exists."""
        self._read.add(name)
        return name in self._values

    def names(self) -> tuple[str, ...]:
        """Return the names of all fields, and mark them as known."""
        self._read.update(self._values)
        return tuple(self._values)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._get(name, default)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(name, "text that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text that is not empty, or None if the field is missing."""
        return self.text(name) if self.has(name) else None

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """Return one of several words."""
        value = self._get(name, default)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(name, "one of " + ", ".join(sorted(choices)))
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self.refuse(name, "true or false")
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Return an integer from `low` to `high`."""
        value = self._get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.refuse(name, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """Return a number from `low` to `high`."""
        value = self._get(name, default)
        if not _is_number(value) or not low <= value <= high:
            raise self.refuse(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def triple(self, name: str, default: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return three numbers up to `MAX_NUMBER`, one per color channel."""
        value = self._get(name, default)
        if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(_is_small, value)):
            raise self.refuse(name, f"three numbers from {-MAX_NUMBER:g} to {MAX_NUMBER:g}")
        return (float(value[0]), float(value[1]), float(value[2]))

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list of positive integers."""
        value = self._get(name, None)
        if not _is_list_of(value, int) or any(number < 1 for number in value):
            raise self.refuse(name, "a list of positive whole numbers")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._get(name, None)
        if not _is_list_of(value, str):
            raise self.refuse(name, "a list of texts")
        return tuple(value)

    def arrays(self, name: str) -> tuple[tuple[str, Numbers], ...]:
        """Return an object whose values are numbers up to `MAX_NUMBER` or nested lists of them.

        Lists become tuples.
        """
        value = self._get(name, None)
        if not isinstance(value, dict) or not all(map(_is_array, value.values())):
            raise self.refuse(name, "an object of numbers, or of nested lists of them")
        return tuple((key, _frozen(each)) for key, each in value.items())

    def object(self, name: str) -> JsonReader:
        """Return a nested object."""
        return JsonReader(f"{self._where}.{name}", self._get(name, None))

    def objects(self, name: str) -> tuple[JsonReader, ...]:
        """Return a list of nested objects."""
        value = self._get(name, None)
        if not isinstance(value, list) or not value:
            raise self.refuse(name, "a list of objects")
        return tuple(JsonReader(f"{self._where}.{name}[{i}]", item) for i, item in enumerate(value))

    def _get(self, name: str, default: Any) -> Any:  # noqa: ANN401  JSON can be anything
        self._read.add(name)
        return self._values.get(name, default)


def _frozen(value: Any) -> Numbers:  # noqa: ANN401  JSON can be anything
    """Return nested lists as tuples, so that what is read can be hashed."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_small(value: object) -> bool:
    """Return whether the value is a number up to `MAX_NUMBER`; NaN and infinity are not."""
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
