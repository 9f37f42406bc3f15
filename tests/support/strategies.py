"""Strategies of hypothesis: JSON of any shape, and texts of any characters."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

ANY_CHARACTER = st.characters(exclude_categories=())
"""Any character, including lone surrogates, which JSON may contain and no encoding accepts."""

texts = st.text(ANY_CHARACTER, max_size=30)
extremes = st.sampled_from((10**400, -(10**400), float("nan"), "", "\x00", "a\nb", "../a"))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | extremes
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def examples(count: int) -> settings:
    """Return settings that try the same examples in every run."""
    return settings(max_examples=count, derandomize=True, deadline=None, database=None)
