"""What hypothesis draws from: JSON of any shape, texts of any characters, odd urls."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

ANY_CHARACTER = st.characters(exclude_categories=())
"""Lone surrogates too: JSON can hold them, and nothing can encode them."""

texts = st.text(ANY_CHARACTER, max_size=30)
extremes = st.sampled_from((10**400, -(10**400), float("nan"), "", "\x00", "a\nb", "../a"))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | extremes
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def examples(count: int) -> settings:
    """The same examples on every run, so that a test that passed passes again."""
    return settings(max_examples=count, derandomize=True, deadline=None, database=None)
