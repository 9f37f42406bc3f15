"""Notice labels in the wrong order: by other names of the same objects, and by the list itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from scripts.models.truths import WORDS

MORE_WORDS = {
    "person": "person people pedestrian human man woman",
    "bicycle": "bicycle bike cycle cyclist",
}
GENERAL = "vehicle vehicles auto automobile"
"""Words for any kind of vehicle."""
MIN_OBJECTS = 8
MIN_SECOND = 0.1
"""Share of these that are not of the most frequent class: with a wrong input, a model answers
everything alike."""
MIN_RIGHT = 0.3
"""Share of objects that another order of the labels must name rightly."""
MIN_RATIO = 2.5
"""Factor by which it must name more objects rightly than the manifest's order."""

MIN_SORTED = 8
"""Number of labels whose alphabetical order is no chance."""
CATCH_ALL = frozenset({"background", "other", "others", "unknown", "none"})
"""Labels that stand at either end of a sorted list."""
EMBEDDED = "The embedded detector sees"

Named = tuple[str, int]
"""Another name of an object, and the model's class id."""


def order_hint(labels: Sequence[str], known: Iterable[Sequence[str]]) -> str | None:
    """Return how a list of labels is rotated by one, or None.

    Args:
        labels: The labels.
        known: Lists in the right order. Training tools sort the names of folders, so that
            alphabetical order is right, too.
    """
    given = [label.lower() for label in labels]
    sortable = [label for label in given if label not in CATCH_ALL]
    for own, right in (
        *((given, [label.lower() for label in each]) for each in known),
        (sortable, sorted(sortable) if len(sortable) >= MIN_SORTED else []),
    ):
        if own == right or len(set(own)) < 2:
            continue
        if [*own[1:], own[0]] == right or [own[-1], *own[:-1]] == right:
            moved = own[0] if [*own[1:], own[0]] == right else own[-1]
            return (
                f"the labels seem to be shifted by one: {moved!r} stands at the wrong end of a "
                "list that is in order otherwise"
            )
    return None


def naming_hint(
    named: Sequence[Named], labels: Sequence[str], source: str = EMBEDDED
) -> str | None:
    """Return how the labels seem to be wrong, or None.

    Only labels are judged that mean one of the other names. Kinds of vehicle that are easily
    confused, such as vans and trucks, do not matter: another order must be far better.

    Args:
        named: The objects.
        labels: The model's labels.
        source: Beginning of a sentence: who gave the other names.
    """
    meanings = {seen: matching_labels(seen, labels) for seen, _ in named}
    known = [(seen, position) for seen, position in named if meanings[seen]]
    if len(known) < MIN_OBJECTS or all(len(each) == len(labels) for each in meanings.values()):
        return None
    right = {
        shift: [
            position
            for seen, position in known
            if (position + shift) % len(labels) in meanings[seen]
        ]
        for shift in (0, -1, 1)
    }
    shift = max((-1, 1), key=lambda each: len(right[each]))
    own, other = len(right[0]), len(right[shift])
    most = max(Counter(right[shift]).values(), default=0)
    if other < max(MIN_RIGHT * len(known), MIN_RATIO * own) or other - most < MIN_SECOND * other:
        return None
    (seen, position), count = Counter(known).most_common(1)[0]
    total = sum(each == seen for each, _ in known)
    return (
        f"the labels seem to be shifted by one. {source} a {seen} where class "
        f"{position} is found ({count} of {total}), which the manifest names {labels[position]!r}; "
        f"{labels[(position + shift) % len(labels)]!r} is class {(position + shift) % len(labels)}"
    )


def matching_labels(seen: str, labels: Sequence[str]) -> frozenset[int]:
    """Return the positions of the labels that mean a lower-case name of an object."""
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
