from __future__ import annotations

import numpy as np

from training.evaluate_attributes import calibration


def test_empty_bins_are_left_out_and_0_is_in_the_first() -> None:
    predicted = np.array([[0.0, 0.0], [0.1, 0.2], [0.95, 0.05]])
    teacher = np.array([[0.3, 0.7], [0.5, 0.5], [0.8, 0.2]])

    assert calibration(predicted, teacher) == [
        {"from": 0.0, "to": 0.2, "crops": 2, "probability": 0.1, "teacher": 0.4, "agree": 0.0},
        {"from": 0.9, "to": 1.0, "crops": 1, "probability": 0.95, "teacher": 0.8, "agree": 1.0},
    ]
