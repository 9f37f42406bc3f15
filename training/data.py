"""Check the data sets and ask the teachers: `python -m training.data`.

Prints what each data set holds and how much of it is held out, then writes what every teacher
sees in every training picture to `training/runs/teachers.json` (about five minutes on two cores).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from training import datasets
from training.progress import Progress
from training.teachers import Crossroad, Found, Picodet, mirrored

RUNS = Path(__file__).parent / "runs"


def describe(examples: list[datasets.Example]) -> str:
    """One line per data set: pictures, held out, objects by class."""
    lines = []
    for source in sorted({example.source for example in examples}):
        own = [example for example in examples if example.source == source]
        held = sum(datasets.is_held_out(example.key) for example in own)
        objects = Counter(
            "vehicle" if kind == datasets.UNTYPED_VEHICLE else datasets.LABELS[kind]
            for example in own
            for kind in example.classes
        )
        lines.append(f"{source}: {len(own)} pictures, {held} held out, {dict(objects)}")
    return "\n".join(lines)


def ask_teachers(examples: list[datasets.Example], models: Path) -> dict[str, dict[str, Found]]:
    """Every teacher's answer to every picture, by the picture's key."""
    picodet, crossroad = Picodet(models), Crossroad(models)
    progress, answers = Progress(len(examples)), {}
    for done, example in enumerate(examples, 1):
        picture = datasets.read_picture(example.path)
        answers[example.key] = {
            "picodet": picodet(picture),
            "picodet_mirrored": mirrored(picodet(picture[:, ::-1]), picture.shape[1]),
            "crossroad": crossroad(picture),
        }
        if done % 50 == 0 or done == len(examples):
            print(progress.line(done), flush=True)
    return answers


def main() -> None:
    """Describe the data sets and write the teachers' answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=datasets.DEFAULT_DATA)
    parser.add_argument("--models", type=Path, default=datasets.DEFAULT_MODELS)
    parser.add_argument("--runs", type=Path, default=RUNS)
    options = parser.parse_args()
    examples = [
        *datasets.vehicles_openimages(options.data, "train"),
        *datasets.license_plates(options.data),
        *datasets.coco128(options.data),
    ]
    print(describe(examples), flush=True)
    options.runs.mkdir(parents=True, exist_ok=True)
    answers = ask_teachers(examples, options.models)
    (options.runs / "teachers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
