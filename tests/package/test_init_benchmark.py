"""The report of the start benchmark."""

from pathlib import Path

import pytest

from benchmarks.init import Layout, Times, table, verdict

LAYOUTS = [Layout("as built", Path("a")), Layout("naive", Path("b"))]


def test_the_table_shows_medians_and_ratios() -> None:
    measured = [
        [Times(310, 270), Times(300, 260), Times(900, 280)],
        [Times(620, 540), Times(600, 810), Times(640, 500)],
    ]

    assert table(LAYOUTS, measured).splitlines() == [
        "median of 3   elapsed ms  processor ms  fastest ms",
        "as built             310           270         300",
        "naive                620           540         600",
        "ratio, naive        2.00          2.00",
        "Target: a median of 450 ms elapsed: met.",
    ]


@pytest.mark.parametrize(
    ("elapsed", "processor", "expected"),
    [
        (450, 440, "met."),
        (451, 440, "MISSED."),
        (900, 300, "not measurable"),
        (900, 460, "MISSED."),
    ],
)
def test_a_busy_core_is_not_a_missed_target(
    elapsed: float, processor: float, expected: str
) -> None:
    assert f"elapsed: {expected}" in verdict(Times(elapsed, processor))
