"""Collect the crops of `vehicle_attributes`: `python -m training.attribute_data`.

Writes `training/runs/crops_*.npz`, two files of about 32 MB.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from training import attribute_pack, datasets
from training.attribute_crops import VALID, every_crop
from training.crops import VEHICLE_TYPES
from training.data import RUNS

PARTS = 2


def main() -> None:
    """Collect the crops, describe them and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--models", type=Path, default=datasets.DEFAULT_MODELS)
    parser.add_argument("--runs", type=Path, default=RUNS)
    options = parser.parse_args()
    crops = every_crop(options.data, options.models)
    for source, count in sorted(Counter(crop.source for crop in crops).items()):
        kinds = np.sum([crop.types for crop in crops if crop.source == source], 0).round()
        print(source, count, dict(zip(VEHICLE_TYPES, kinds.astype(int).tolist(), strict=True)))
    options.runs.mkdir(parents=True, exist_ok=True)
    for part in range(PARTS):
        path = options.runs / f"crops_{part}.npz"
        attribute_pack.write(crops[part::PARTS], {VALID}, path)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
