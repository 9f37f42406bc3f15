"""How detector and classifier decide the kind together, and when a make is named.

The kind's probabilities, softened by a temperature, are multiplied by the weights of the detector's
class and scaled to sum to 1. A detector knows neither minibus nor pickup: it calls minibuses car,
bus or truck, and pickups car or truck, so that these weigh as much as the class itself.
"""

from __future__ import annotations

import numpy as np

from training.crops import VEHICLE_TYPES

KIND_TEMPERATURE = 2.0
"""Logits are divided by this: the classifier is surer than it is right."""
UNLIKELY = 0.03
"""Weight of a kind that the detector's class does not allow for."""
ALSO = {
    "ambulance": (),
    "bus": ("minibus",),
    "car": ("minibus", "pickup"),
    "motorcycle": (),
    "truck": ("minibus", "pickup"),
}
DETECTOR_WEIGHTS = {
    name: {kind: 1.0 if kind == name or kind in also else UNLIKELY for kind in VEHICLE_TYPES}
    for name, also in ALSO.items()
}
MAKE_KINDS = ("car", "minibus", "pickup")
"""Kinds whose make is named."""
MAKE_THRESHOLD = 0.78
"""Smallest probability of a make that is named: the sureness at which the teacher is right in
95 % of cases, where it says 0.8."""


def combined(logits: np.ndarray, detected: list[str]) -> np.ndarray:
    """Return probabilities of kinds (n, 7) for the classifier's logits and the detected classes."""
    shares = np.exp((logits - logits.max(1, keepdims=True)) / KIND_TEMPERATURE)
    rows = [[DETECTOR_WEIGHTS[name][kind] for kind in VEHICLE_TYPES] for name in detected]
    product = shares * np.array(rows, np.float32)
    return product / product.sum(1, keepdims=True)
