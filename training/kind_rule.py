"""How detector and network decide the kind together, and when a make is named.

The probability of a kind is the network's, times the detector's to a power, scaled to sum to 1. A
detector knows neither minibus nor pickup: it calls minibuses car or bus, and pickups car or truck.
"""

from __future__ import annotations

import numpy as np

from training import datasets
from training.crops import VEHICLE_TYPES

DETECTOR_CLASSES = {
    "ambulance": ["ambulance"],
    "bus": ["bus"],
    "car": ["car"],
    "minibus": ["car", "bus"],
    "motorcycle": ["motorcycle"],
    "pickup": ["car", "truck"],
    "truck": ["truck"],
}
"""Classes of the detector that speak for a kind; the most probable one counts."""
DETECTOR_EXPONENT = 1.25
DETECTOR_FLOOR = 0.01
"""Smallest probability of the detector that is taken, so that no kind is ruled out."""
MAKE_KINDS = ("car", "minibus", "pickup")
"""Kinds whose make is named."""
MAKE_THRESHOLD = 0.78
"""Smallest probability of a make that is named. The network is here as sure of the teacher's answer
as the teacher itself is where it says 0.8, which is right in 95 % of cases."""


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities of logits (n, classes)."""
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def combined(logits: np.ndarray, detected: np.ndarray) -> np.ndarray:
    """Return probabilities of kinds, (n, 7).

    Args:
        logits: The network's, (n, 7).
        detected: The detector's probability of each of its classes, (n, 7) by `LABELS`.
    """
    columns = [
        detected[:, [datasets.LABELS.index(name) for name in DETECTOR_CLASSES[kind]]].max(1)
        for kind in VEHICLE_TYPES
    ]
    weights = np.stack(columns, 1).clip(DETECTOR_FLOOR, 1) ** DETECTOR_EXPONENT
    product = softmax(logits) * weights
    return product / product.sum(1, keepdims=True)
