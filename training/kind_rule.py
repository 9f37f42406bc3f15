"""Rules by which detector and network decide the kind, and when a make is named.

The probability of a kind is the network's times `DETECTED_SHARES`, scaled to sum to 1: Bayes' rule.
The manifest states the same shares as `detector_weights`.
"""

from __future__ import annotations

import numpy as np

from training.crops import VEHICLE_TYPES

ERROR = 0.05
"""Share of a kind's vehicles that the detector gives one certain wrong class."""
RIGHT = 1 - 4 * ERROR
DETECTED_SHARES: dict[str, dict[str, float]] = {
    "car": {"car": RIGHT, "minibus": 0.5, "pickup": 0.425},
    "motorcycle": {"motorcycle": RIGHT},
    "bus": {"bus": RIGHT, "minibus": 0.25},
    "truck": {"truck": RIGHT, "minibus": 0.15, "pickup": 0.425},
    "ambulance": {"ambulance": RIGHT},
}
"""Share of each kind's vehicles that the detector gives a class: detector class -> kind -> share,
`ERROR` where it is not listed. The detector has no class for minibuses and pickups."""
MAKE_KINDS = ("car", "minibus", "pickup")
"""Kinds whose make is named."""
MAKE_THRESHOLD = 0.78
"""Smallest probability of a make that is named. From 0.75 on, the teacher's further looks at a crop
support the network's make (0.89) a little more than the make that the teacher itself gives 0.8
(0.88). Of the latter, 95 % are right. The reserve of 0.03 keeps enlarged drawings unnamed."""


def detector_weights() -> dict[str, dict[str, float]]:
    """Return the factors on the probabilities of kinds: detector class -> kind -> factor."""
    return {
        name: {kind: shares.get(kind, ERROR) for kind in VEHICLE_TYPES}
        for name, shares in DETECTED_SHARES.items()
    }


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities of logits (n, classes)."""
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def combined(logits: np.ndarray, detected: list[str]) -> np.ndarray:
    """Return probabilities of kinds, (n, 7).

    Args:
        logits: The network's, (n, 7).
        detected: The detector's class of each vehicle, n names.
    """
    weights = detector_weights()
    rows = [[weights[name][kind] for kind in VEHICLE_TYPES] for name in detected]
    product = softmax(logits) * np.array(rows)
    return product / product.sum(1, keepdims=True)
