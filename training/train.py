"""Train one of the embedded models: `python -m training.train detector|attributes`.

Run `python -m training.data` first for the detector, `python -m training.attribute_data` for the
attributes. Checkpoints go to `training/runs/<model>/`; an interrupted training of the
detector continues from the last one. The same seed gives the same batches; results still differ in
the last digits between processors.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from training import datasets, train_attributes, train_detector
from training.data import RUNS
from training.places import Places


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=["detector", "attributes"])
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--models", type=Path, default=datasets.DEFAULT_MODELS)
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--name", help="folder of the run under --runs, default the model's name")
    parser.add_argument("--start", type=Path, help="averageN.pt of an earlier run to go on from")
    parser.add_argument("--set", nargs="*", default=[], help="fields of the recipe, name=number")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trainer = train_detector if options.model == "detector" else train_attributes
    recipe = trainer.Recipe()
    for item in options.set:
        name, value = item.split("=")
        recipe = replace(recipe, **{name: type(getattr(recipe, name))(float(value))})
    places = Places(
        data=options.data,
        models=options.models,
        teachers=options.runs / "teachers.json",
        folder=options.runs / (options.name or options.model),
        start=options.start,
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
    trainer.train(places, recipe)


if __name__ == "__main__":
    main()
