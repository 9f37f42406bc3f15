"""Teachers complete human labels: literal boxes in, literal targets out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.completion import Target, complete
from training.datasets import LABELS, UNTYPED_VEHICLE, Example
from training.teachers import Found

CAR, TRUCK, BUS, PERSON = (LABELS.index(name) for name in ("car", "truck", "bus", "person"))
DRAWN = (10.0, 10.0, 110.0, 60.0)
ELSEWHERE = (200.0, 10.0, 300.0, 60.0)


def example(kind: int, *, is_complete: bool = False) -> Example:
    boxes = np.array([DRAWN], np.float32)
    return Example("photos", Path("a.jpg"), boxes, np.array([kind]), is_complete)


def answers(
    name: str, box: tuple[float, ...], score: float, crossroad: float = 0.0
) -> dict[str, Found]:
    found: Found = {name: [[*box, score]]}
    second: Found = {"vehicle": [[*box, crossroad]] if crossroad else [], "person": []}
    return {"picodet": found, "picodet_mirrored": found, "crossroad": second}


def summary(target: Target) -> tuple[list[str], list[float], int]:
    names = [LABELS[kind] for kind in target.kinds.argmax(1)]
    return names, [round(float(value), 3) for value in target.objectness], len(target.ignored_xyxy)


@pytest.mark.parametrize(
    ("labelled", "seen", "expected"),
    [
        pytest.param(CAR, answers("truck", DRAWN, 0.9), (["car"], [1.0], 0), id="human wins"),
        pytest.param(
            CAR, answers("bus", ELSEWHERE, 0.8), (["car", "bus"], [1.0, 0.8], 0), id="sure"
        ),
        pytest.param(
            CAR, answers("bus", ELSEWHERE, 0.4), (["car"], [1.0], 1), id="unsure is ignored"
        ),
        pytest.param(
            CAR,
            answers("bus", ELSEWHERE, 0.4, crossroad=0.9),
            (["car", "bus"], [1.0, 0.4], 0),
            id="unsure but seconded",
        ),
        pytest.param(
            CAR, answers("car", ELSEWHERE, 0.9), (["car"], [1.0], 0), id="this class was drawn"
        ),
        pytest.param(
            CAR, answers("bus", ELSEWHERE, 0.1), (["car"], [1.0], 0), id="too faint to matter"
        ),
        pytest.param(
            UNTYPED_VEHICLE, answers("bus", DRAWN, 0.6), (["bus"], [1.0], 0), id="typed by teacher"
        ),
        pytest.param(
            UNTYPED_VEHICLE, answers("person", ELSEWHERE, 0.1), ([], [], 1), id="type unknown"
        ),
    ],
)
def test_completion(
    labelled: int, seen: dict[str, Found], expected: tuple[list[str], list[float], int]
) -> None:
    assert summary(complete(example(labelled), seen)) == expected


def test_complete_labels_stay_as_they_are() -> None:
    target = complete(example(TRUCK, is_complete=True), answers("person", ELSEWHERE, 0.9))
    assert summary(target) == (["truck"], [1.0], 0)


def test_a_vehicle_that_only_the_crossroad_teacher_sees_is_ignored() -> None:
    seen = answers("person", DRAWN, 0.01)
    seen["crossroad"]["vehicle"] = [[*ELSEWHERE, 0.9]]
    target = complete(example(BUS), seen)
    assert target.ignored_xyxy.tolist() == [list(ELSEWHERE)]
