from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.crops import VEHICLE_TYPES
from training.kind_rule import MAKE_THRESHOLD, combined, detector_weights

MANIFEST = Path(__file__).parents[2] / "models" / "vehicle_attributes" / "manifest.json"


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
    answer = combined(logits, [detected])
    assert VEHICLE_TYPES[answer[0].argmax()] == expected
    assert answer.sum() == pytest.approx(1)


def test_the_manifest_states_the_rule() -> None:
    outputs = json.loads(MANIFEST.read_text())["output"]["outputs"]
    by_role = {output["role"]: output for output in outputs}
    assert by_role["kind"]["detector_weights"] == detector_weights()
    assert by_role["make"]["threshold"] == MAKE_THRESHOLD
    assert by_role["make"]["unknown_label"] == "other"
