"""Labels in the wrong order are noticed."""

from __future__ import annotations

import pytest

from scripts.models.labels import known_lists
from scripts.models.naming import Named, naming_hint, order_hint

MAKES = ("Audi", "BMW", "BYD", "Fiat", "Ford", "Lada", "Opel", "Seat", "Skoda", "Volvo")
COCO = known_lists()["coco80"]


@pytest.mark.parametrize(
    ("labels", "is_shifted"),
    {
        "sorted": (MAKES, False),
        "the first is last": ((*MAKES[1:], MAKES[0]), True),
        "the last is first": ((MAKES[-1], *MAKES[:-1]), True),
        "others last": ((*MAKES, "other"), False),
        "background first": (("background", *MAKES), False),
        "shifted, others last": ((*MAKES[1:], MAKES[0], "other"), True),
        "another order": ((*MAKES[2:], *MAKES[:2]), False),
        "few": (("car", "bus"), False),
        "a known list": (COCO, False),
        "a known list, shifted": ((COCO[-1], *COCO[:-1]), True),
        "a known list in capitals, shifted": (tuple(x.upper() for x in (*COCO[1:], COCO[0])), True),
    }.values(),
)
def test_a_list_that_is_rotated(labels: tuple[str, ...], is_shifted: bool) -> None:
    assert (order_hint(labels, known_lists().values()) is not None) == is_shifted


KINDS = ("bus", "car", "truck")


@pytest.mark.parametrize(
    ("named", "is_shifted"),
    {
        "right": ([("bus", 0), ("car", 1)] * 8, False),
        "shifted": ([("bus", 2), ("car", 0)] * 8, True),
        "few objects": ([("bus", 2), ("car", 0)] * 3, False),
        "always the same answer": ([("bus", 2), ("car", 2)] * 8, False),
        "nearly always the same answer": ([("bus", 2)] * 20 + [("car", 0)], False),
        "no kind of the labels": ([("dog", 1), ("cat", 2)] * 8, False),
    }.values(),
)
def test_other_names_of_the_same_objects(named: list[Named], is_shifted: bool) -> None:
    assert (naming_hint(named, KINDS) is not None) == is_shifted
