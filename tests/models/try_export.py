"""Add one export without flags, and compare its boxes with an independent decode."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from PIL import Image

from inference.decoding.resolution import DecodedImage
from inference.detection import load_detector
from inference.manifest import Manifest, load_manifest
from scripts.models.add import ModelOptions, add_model
from scripts.models.errors import ToolError
from scripts.models.folder import load_model
from tests.models.export_decodes import Array, decode
from tests.models.exported import EXPORTS, Classifier, Detector

STREET = Path(__file__).parents[2] / "samples" / "street.jpg"
WIDER, HIGHER = 2, 1.25
"""Size of the picture in sides of the input. Half of it is an exact average, so that both decodes
get the same tensor: resizing otherwise differs by interpolation."""
MIN_SCORE = 0.06
MOST_ROWS = 50
MAX_PIXELS_OFF = 1.5
"""The product rounds to whole pixels of the picture, which has two per pixel of the input."""
MAX_SCORE_OFF = 0.01


@dataclass(frozen=True)
class Outcome:
    """The result of an export.

    Attributes:
        reading: How it is read; "" if it is refused.
        refusal: The sentence; "" if it is not refused.
        seconds: Time of `add`.
        activations: Activation of each output of a classifier.
        equal: Number of boxes that both decodes have.
        compared: Number of boxes that one of them has.
    """

    reading: str
    refusal: str
    seconds: float
    activations: tuple[str, ...] = ()
    equal: int = 0
    compared: int = 0


def try_export(name: str, file: Path, folder: Path) -> Outcome:
    """Add an export to a folder; a user would pass labels and vehicles alone."""
    expected = EXPORTS[name]
    labels = getattr(expected, "labels", "")
    count = expected.classes if isinstance(expected, Classifier) else 6
    count = {"six": 6, "face": 1}.get(labels, count)
    if isinstance(expected, Classifier) or labels in ("six", "face"):
        names = ["car", *(f"class {number}" for number in range(1, count))]
        (folder / "labels.txt").write_text("\n".join(names))
        labels = str(folder / "labels.txt")
    options = ModelOptions("mine", labels=(labels,) if labels else ())

    def ask(topic: str, question: str, default: str) -> str:
        if topic == "vehicles":
            return question.rpartition(" out of ")[2].split(", ")[0]
        return "none" if topic == "licence" else default or "coco80"

    start = perf_counter()
    try:
        added, findings = add_model(folder / "models", file, options, ask)
    except ToolError as error:
        return Outcome("", str(error), perf_counter() - start)
    seconds = perf_counter() - start
    values = {each.field: each.value for each in findings}
    reading = ", ".join(
        str(values[field]) for field in ("output.format", "input.resize", "input.color")
    )
    if isinstance(expected, Detector):
        equal, compared = equal_boxes(added, expected, folder / "picture.png")
        return Outcome(reading, "", seconds, (), equal, compared)
    load_model(added)
    outputs = values.get("output.outputs", [])
    activations = tuple(each["activation"] for each in outputs)
    reading = f"{reading}, {activations[0]}"
    return Outcome(reading, "", seconds, activations)


def write_picture(manifest: Manifest, file: Path) -> None:
    """Write the street in a size that is halved exactly."""
    size = (manifest.input.width * WIDER, int(manifest.input.height * HIGHER))
    with Image.open(STREET) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    Image.fromarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)).save(file)


def equal_boxes(folder: Path, expected: Detector, picture: Path) -> tuple[int, int]:
    """Return the number of boxes that both decodes have, and that either has.

    The best boxes of each are looked up among all of the other.
    """
    manifest = load_manifest(folder)
    write_picture(manifest, picture)
    theirs = decode(folder / "model.onnx", picture, expected.read, expected.pixels, expected.side)
    detector = load_detector(manifest)
    with Image.open(picture) as opened:
        pixels = np.asarray(opened)
        width, height = opened.size
    positions = {label: number for number, label in enumerate(detector.task.labels)}
    ours = np.array(
        [
            (*each.box_xyxy, each.confidence, positions[each.class_name])
            for each in detector.detect(DecodedImage.full_size(pixels), MIN_SCORE - MAX_SCORE_OFF)
        ]
    ).reshape(-1, 6)
    # Several classes can share a name, such as those that COCO does not use.
    same = dict(enumerate(positions[label] for label in detector.task.labels))
    theirs[:, 5] = [same.get(int(kind), -1) for kind in theirs[:, 5]]
    theirs[:, :4] = np.clip(theirs[:, :4], 0, [width, height, width, height])
    theirs = theirs[(theirs[:, 2:4] > theirs[:, :2]).all(axis=1)]
    equal = compared = 0
    for rows, others in ((theirs, ours), (ours, theirs)):
        best = rows[rows[:, 4] >= MIN_SCORE][:MOST_ROWS]
        compared += len(best)
        equal += sum(is_among(row, others) for row in best)
    return equal, compared


def is_among(row: Array, rows: Array) -> bool:
    """Return whether one of the rows has the same class, nearly the same box and score."""
    off = np.abs(rows - row)
    near = (off[:, :4] <= MAX_PIXELS_OFF).all(axis=1) & (off[:, 4] <= MAX_SCORE_OFF)
    return bool((near & (off[:, 5] == 0)).any())
