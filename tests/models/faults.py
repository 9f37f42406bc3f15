"""Print a table of the single wrong settings that `check` finds.

    python -m tests.models.faults [MODEL...]

It needs the published models and the photographs of ../shared.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from inference.classification import Classifier
from inference.decoding.decode import decode
from inference.detection import Detector
from inference.manifest import load_manifest
from inference.types import Tensor
from scripts.models.advice import advise, neighbours
from scripts.models.check import hints_for, judge_for, open_model, problems_of
from scripts.models.errors import ToolError
from scripts.models.pictures import Picture, read_pictures
from tests.models.manifest_faults import Fault, Values, faults, labels_of, wrong_folder
from tests.support.models import BUNDLED, PROJECT, PUBLISHED, SHARED, published_model

DETECTORS = (*PUBLISHED[:4], "vehicle_detector")
PROCESSES = 2
MAX_REMEMBERED = 4 << 30
"""Bytes of outputs that are kept."""
SLOW = "pvb_crossroad_0078"
SLOW_PICTURES = 40
"""Number of pictures of vehicles for this detector of a crossroad's vehicles."""
CROPS_LABELLED_BY = {
    "vehicle_attributes": "",
    "spectrico_brand": "make",
    "spectrico_color": "colour",
}
"""Output of `vehicle_attributes` that labels the crops, or spectrico_brand's answers."""
SURE = 0.8
MIN_WIDTH = 120
CROPS_PER_MAKE = 6
NORMALISATION = {"scale", "mean", "std"}
INPUT_FAULTS = ("colours", "normalisation", "resize")
MIN_EFFECT = 2.0
"""Standard errors by which a fault must change the precision on the labelled pictures."""


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        kind: Kind of the fault.
        plain: Whether `check` finds it without labels.
        labelled: Whether `check` finds it with labels.
        errors: How much worse the labelled pictures are answered, in standard errors.
    """

    kind: str
    plain: bool
    labelled: bool
    errors: float


def folder_of(name: str, base: Path) -> Path:
    """Return the folder of a correct model; it is copied below `base`."""
    if name in BUNDLED:
        return Path(shutil.copytree(PROJECT / "models" / name, base / name))
    return published_model(name, base)


class Remembered:
    """A session of onnxruntime that runs every input once: faults share most of their inputs."""

    def __init__(self, runtime: Any, outputs: dict[bytes, Any]) -> None:
        self._runtime = runtime
        self._outputs = outputs

    def run(self, names: None, feeds: Mapping[str, Tensor]) -> Any:
        digest = hashlib.blake2b(digest_size=16)
        for name, value in feeds.items():
            digest.update(f"{name} {value.shape} {value.dtype}".encode())
            digest.update(np.ascontiguousarray(value).data)
        key = digest.digest()
        if key not in self._outputs:
            self._outputs[key] = self._runtime.run(names, feeds)
            size = sum(each.nbytes for each in self._outputs[key])
            while len(self._outputs) * size > MAX_REMEMBERED:
                self._outputs.pop(next(iter(self._outputs)))
        return self._outputs[key]


def remembering(model: Detector | Classifier, outputs: dict[bytes, Any]) -> Detector | Classifier:
    """Return the model with a session that runs every input once."""
    runtime = Remembered(model.session.runtime, outputs)
    return replace(model, session=replace(model.session, runtime=runtime))


@dataclass(frozen=True)
class Checked:
    """The output of `check` for a manifest.

    Attributes:
        lines: Problems and hints, or the advice.
        fields: Fields of the input that the advice changes; empty without advice.
        share: Largest share of a proof that any other input reached; 1 is advice.
    """

    lines: list[str]
    fields: frozenset[str] = frozenset()
    share: float = 0.0

    def finds(self, changes: Values) -> bool:
        """Return whether a problem or hint, or advice on the changed fields, is printed."""
        names = {path.removeprefix("input.") for path in changes}
        names |= NORMALISATION if names & NORMALISATION else set()
        return bool(self.fields & names) if self.fields else bool(self.lines)


def checked(
    folder: Path, pictures: list[Picture], finder: Detector, outputs: dict[bytes, Any]
) -> Checked:
    """Return what `check` says about a model."""
    try:
        model = remembering(open_model(folder), outputs)
    except ToolError as error:
        return Checked([str(error)])
    if lines := problems_of(model, pictures) or hints_for(folder, model, finder, pictures):
        return Checked(lines)
    judge = judge_for(model, finder, pictures)
    if judge is None:
        return Checked([])
    advice = advise(model.manifest, judge)
    if advice is not None:
        line = f"advice: {advice.reason} ({advice.ratio:.2f})"
        return Checked([line], frozenset(name for name, *_ in advice.changes))
    tried = [judge.evidence(model.manifest, other).share for _, other in neighbours(model.manifest)]
    return Checked([], share=max(tried))


def pictures_of(name: str, finder: Detector) -> list[Picture]:
    """Return the labelled pictures for a model.

    No person labelled makes and colours in ../shared. A model's labels are what another one with
    another input is sure of.
    """
    if name == SLOW:
        pictures, _ = read_pictures(SHARED / "data" / "vehicles_openimages" / "valid")
        return pictures[:SLOW_PICTURES]
    if name in DETECTORS:
        return read_pictures(SHARED / "data" / "coco128" / "images")[0]
    if name not in CROPS_LABELLED_BY:
        return read_pictures(SHARED / "data" / "vehicles_openimages" / "train")[0][::2]
    folder = SHARED / "data" / "car_crops"
    with (folder / "crops.csv").open() as file:
        rows = [each for each in csv.DictReader(file) if float(each["teacher_probability"]) > SURE]
    by_make: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if int(row["width"]) >= MIN_WIDTH:
            by_make[row["teacher_make"]].append(row)
    rows = [row for make in by_make.values() for row in make[:CROPS_PER_MAKE]]
    images = [decode((folder / row["file"]).read_bytes(), max_pixels=10**8) for row in rows]
    names = [row["teacher_make"] for row in rows]
    if output := CROPS_LABELLED_BY[name]:
        other = open_model(PROJECT / "models" / "vehicle_attributes")
        assert isinstance(other, Classifier)
        answers = [each[output] for each in other.classify(images, 1)]
        names = [each.names[0] if each.probabilities[0] > SURE else "" for each in answers]
    return [
        Picture(row["file"], label, image)
        for row, label, image in zip(rows, names, images, strict=True)
        if label not in ("", "other")
    ]


def table_of(name: str) -> list[Row]:
    """Return a row for the correct manifest and for every fault of a model."""
    outputs: dict[bytes, Any] = {}
    finder = remembering(open_model(PROJECT / "models" / "vehicle_detector"), {})
    assert isinstance(finder, Detector)
    labelled = pictures_of(name, finder)
    plain = [replace(each, folder="", boxes=None) for each in labelled]
    rows = []
    with tempfile.TemporaryDirectory() as base:
        folder = folder_of(name, Path(base) / "right")
        right = remembering(open_model(folder), outputs)
        truth = judge_for(right, finder, labelled)
        assert truth is not None
        values = json.loads((folder / "manifest.json").read_text())
        cases: list[Fault] = [("correct", "", {})]
        for kind, what, changes in [*cases, *faults(name, values, labels_of(folder, values))]:
            start = time.monotonic()
            wrong = wrong_folder(folder, changes, Path(base) / "wrong")
            both = [checked(wrong, each, finder, outputs) for each in (plain, labelled)]
            errors = np.inf
            if kind in INPUT_FAULTS:
                manifest = load_manifest(wrong)
                errors = truth.evidence(manifest, right.manifest).errors
            without, within = (each.finds(changes) for each in both)
            rows.append(Row(kind, without, within, errors))
            for each in both:
                shown = each.lines[0][:90].replace("\n", " ") if each.lines else "nothing"
                print(
                    f"{name:24} {kind + ', ' + what:30} {each.finds(changes):1} "
                    f"{each.share:5.2f} {errors:5.1f} {time.monotonic() - start:3.0f} s  {shown}",
                    flush=True,
                )
    return rows


def main(names: list[str]) -> None:
    """Print two lines per fault, without and with labels, and a table of the kinds."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        tables = [*pool.map(table_of, names or [*BUNDLED, *PUBLISHED[::-1]])]
    rows = [row for table in tables for row in table]
    for kind in [*dict.fromkeys(row.kind for row in rows), "all"]:
        chosen = [
            row for row in rows if kind == row.kind or (kind == "all" and row.kind != "correct")
        ]
        felt = [row for row in chosen if row.errors >= MIN_EFFECT]
        print(
            f"{kind:16} {len(chosen):3}: found {sum(row.plain for row in chosen):3}, "
            f"with labels {sum(row.labelled for row in chosen):3}; with an effect {len(felt):3}: "
            f"found {sum(row.plain for row in felt):3}, "
            f"with labels {sum(row.labelled for row in felt):3}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
