"""Compare a model's class names with those that the embedded detector gives to the same objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from scripts.models.truths import WORDS

MORE_WORDS = {
    "person": "person people pedestrian human man woman",
    "bicycle": "bicycle bike cycle cyclist",
}
GENERAL = "vehicle vehicles auto automobile"
"""Words for any kind of vehicle."""
MIN_OBJECTS = 8
MIN_RIGHT = 0.3
"""Share of objects that another order of the labels must name rightly."""
MIN_RATIO = 2.5
"""Factor by which it must name more objects rightly than the manifest's order."""

Named = tuple[str, int]
"""The embedded detector's class of an object, and the model's class id."""


def naming_hint(named: Sequence[Named], labels: Sequence[str]) -> str | None:
    """Return how the labels seem to be wrong, or None.

    Only labels are judged that mean classes of the embedded detector. Kinds of vehicle that it
    confuses, such as vans and trucks, do not matter: another order must be far better.
    """
    meanings = {seen: _matching(seen, labels) for seen, _ in named}
    known = [(seen, position) for seen, position in named if meanings[seen]]
    if len(known) < MIN_OBJECTS or all(len(each) == len(labels) for each in meanings.values()):
        return None
    shares = {
        shift: sum(
            (position + shift) % len(labels) in meanings[seen] for seen, position in known
        ) / len(known)
        for shift in (0, -1, 1)
    }  # fmt: skip
    shift = max((-1, 1), key=lambda each: shares[each])
    own, other = shares[0], shares[shift]
    if other < MIN_RIGHT or other < MIN_RATIO * own:
        return None
    (seen, position), count = Counter(known).most_common(1)[0]
    total = sum(each == seen for each, _ in known)
    return (
        f"the labels seem to be shifted by one. The embedded detector sees a {seen} where class "
        f"{position} is found ({count} of {total}), which the manifest names {labels[position]!r}; "
        f"{labels[(position + shift) % len(labels)]!r} is class {(position + shift) % len(labels)}"
    )


def _matching(seen: str, labels: Sequence[str]) -> frozenset[int]:
    """Return the positions of the labels that mean a class of the embedded detector."""
    exact = frozenset(i for i, label in enumerate(labels) if label.lower() == seen)
    if exact:
        return exact
    meant = f"{WORDS.get(seen, '')} {MORE_WORDS.get(seen, '')}".split()
    words = {seen, *meant} if meant else set()
    if seen in WORDS:
        words |= set(GENERAL.split())
    return frozenset(
        position
        for position, label in enumerate(labels)
        if words & set(re.findall(r"[a-z]+", label.lower()))
    )
