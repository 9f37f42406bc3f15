from __future__ import annotations

import numpy as np
import pytest

from training.crops import VEHICLE_TYPES
from training.datasets import LABELS
from training.kind_rule import combined


@pytest.mark.parametrize(
    ("detected", "said", "expected"),
    [
        ("car", "car", "car"),
        ("car", "pickup", "pickup"),
        ("truck", "pickup", "pickup"),
        ("bus", "minibus", "minibus"),
        ("motorcycle", "minibus", "motorcycle"),
    ],
)
def test_detector_and_network_decide_together(detected: str, said: str, expected: str) -> None:
    logits = np.array([[2.0 * (kind == said) for kind in VEHICLE_TYPES]], np.float32)
    probabilities = np.array([[0.9 if name == detected else 0.02 for name in LABELS]], np.float32)
    answer = combined(logits, probabilities)
    assert VEHICLE_TYPES[answer[0].argmax()] == expected
    assert answer.sum() == pytest.approx(1)
