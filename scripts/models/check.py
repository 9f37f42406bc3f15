"""Run a model on pictures and look for mistakes in its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from inference.annotate import annotate
from inference.classification import Classifier
from inference.decoding.decode import decode
from inference.detection import Detector
from inference.errors import ModelUnavailable, PictureError
from inference.types import Detection, ImageRGB
from scripts.models.diagnosis import contradictions, raw_output_problems
from scripts.models.errors import ToolError
from scripts.models.fits import detector_fit, labelled_fit, unlabelled_fit
from scripts.models.folder import load_model
from scripts.models.golden import Answer
from scripts.models.product import SETTINGS, classify, crops, objects, vehicles
from scripts.models.variants import (
    OF_DETECTORS,
    OF_LABELLED,
    OF_UNLABELLED,
    Better,
    Fit,
    find_better,
)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
MOST_COMPARED = 24
"""Maximum number of pictures for comparing inputs; more take longer and add no information."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to check with.

    Attributes:
        name: The path as the user gave it.
        folder: Name of its folder, which can be its label.
        image_rgb: Pixels, uint8 [height, width, 3].
    """

    name: str
    folder: str
    image_rgb: ImageRGB


def read_pictures(directory: Path) -> tuple[list[Picture], list[str]]:
    """The pictures of a directory and those below, and why others can't be read.

    Raises:
        ToolError: There is none.
    """
    pictures, failed = [], []
    for path in sorted(directory.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        try:
            image_rgb = decode(path.read_bytes(), max_pixels=SETTINGS.max_pixels)
        except PictureError as error:
            failed.append(f"{path}: {error.message}")
            continue
        pictures.append(Picture(path.as_posix(), path.parent.name, image_rgb))
    if not pictures:
        raise ToolError(f"{directory} has no pictures ({', '.join(sorted(SUFFIXES))})")
    return pictures, failed


def open_model(folder: Path) -> Detector | Classifier:
    """Load a model as the product does.

    Raises:
        ToolError: It does not load; the message says what to change in its manifest.
    """
    try:
        return load_model(folder)
    except ModelUnavailable as error:
        lines = [str(error), *(f"  {line}" for line in contradictions(folder))]
        raise ToolError("\n".join(lines)) from error


def answers_of(
    model: Detector | Classifier, finder: Detector, picture: Picture, threshold: float
) -> list[Answer]:
    """What the product's pipeline answers to one picture.

    Args:
        model: The one to check.
        finder: Finds the vehicles that a classifier classifies; where it finds none, the whole
            picture is classified.
        picture: The picture.
        threshold: Lowest score of a detection, 0..1.
    """
    if isinstance(model, Detector):
        found = objects(model, picture.image_rgb, threshold)
        return [_answer(each, each.class_name, each.confidence) for each in found]
    found = vehicles(finder, picture.image_rgb, threshold)
    crops_rgb = crops(picture.image_rgb, found)
    answers = []
    for vehicle, outputs in zip(found, classify(model, crops_rgb, 1), strict=True):
        first = next(iter(outputs.values()))
        names = [each.names[0] for each in outputs.values()]
        answers.append(_answer(vehicle, ", ".join(names), first.probabilities[0]))
    return answers


def draw(picture: Picture, answers: Sequence[Answer], path: Path) -> None:
    """Save a picture with what was found in it as JPEG."""
    boxes = [
        (each.box_xyxy, each.class_name, f"{each.class_name}: {each.score:.2f}") for each in answers
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(annotate(picture.image_rgb, boxes)).save(path, quality=90)


def problems_of(model: Detector | Classifier, pictures: Sequence[Picture]) -> list[str]:
    """What the outputs show to be wrong in the manifest."""
    if not isinstance(model, Detector):
        return []
    lines: list[str] = []
    for picture in pictures[:MOST_COMPARED]:
        lines += raw_output_problems(model, picture.image_rgb)
        if lines:
            break
    return lines


def better_input(
    model: Detector | Classifier, finder: Detector, pictures: Sequence[Picture]
) -> Better | None:
    """An input that fits these pictures clearly better than the manifest's.

    Folders that are named like labels say what a classifier should answer to their pictures.
    """
    images_rgb = [picture.image_rgb for picture in pictures]
    if isinstance(model, Detector):
        compared = images_rgb[:MOST_COMPARED]
        return find_better(
            model.manifest, lambda each: detector_fit(each, compared), len(compared), OF_DETECTORS
        )
    crops_rgb, folders = [], []
    for picture in pictures:
        found = vehicles(finder, picture.image_rgb, SETTINGS.detection_threshold)
        crops_rgb += crops(picture.image_rgb, found)
        folders += [picture.folder] * len(found)
    # Evenly over all of them: in folders of one class each, the first are of one class.
    step = -(-len(crops_rgb) // MOST_COMPARED)
    crops_rgb, folders = crops_rgb[::step], folders[::step]
    fit: Fit
    if set(folders) <= set(model.task.outputs[0].labels):
        fit, least = partial(labelled_fit, crops_rgb=crops_rgb, truths=folders), OF_LABELLED
    else:
        fit, least = partial(unlabelled_fit, crops_rgb=crops_rgb), OF_UNLABELLED
    return find_better(model.manifest, fit, len(crops_rgb), least)


def _answer(detection: Detection, class_name: str, score: float) -> Answer:
    return Answer(class_name, detection.box_xyxy, score, detection.confidence)
