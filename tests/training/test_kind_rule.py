from __future__ import annotations

import numpy as np
import pytest

from training.crops import VEHICLE_TYPES
from training.kind_rule import DETECTOR_WEIGHTS, combined


@pytest.mark.parametrize(
    ("detected", "said", "expected"),
    [
        ("car", "car", "car"),
        ("car", "pickup", "pickup"),
        ("truck", "pickup", "pickup"),
        ("motorcycle", "minibus", "motorcycle"),
    ],
)
def test_detector_and_network_decide_together(detected: str, said: str, expected: str) -> None:
    logits = np.array([[2.0 * (kind == said) for kind in VEHICLE_TYPES]], np.float32)
    answer = combined(logits, [detected])
    assert VEHICLE_TYPES[answer[0].argmax()] == expected
    assert answer.sum() == pytest.approx(1)


def test_every_class_of_the_detector_has_weights() -> None:
    assert set(DETECTOR_WEIGHTS) == {"ambulance", "bus", "car", "motorcycle", "truck"}
