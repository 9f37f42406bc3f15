"""Run a model on pictures and look for mistakes in its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image

from inference.annotate import annotate
from inference.classification import Classifier
from inference.decoding.decode import decode
from inference.detection import Detector
from inference.errors import ModelUnavailable, PictureError
from inference.types import Detection, ImageRGB
from scripts.models.advice import Advice, ClassifierJudge, DetectorJudge, advise
from scripts.models.diagnosis import activation_problems, contradictions, raw_output_problems
from scripts.models.errors import ToolError
from scripts.models.folder import load_model
from scripts.models.golden import Answer
from scripts.models.hints import classifier_hints, detector_hints
from scripts.models.product import SETTINGS, classify, crops, objects, vehicles
from scripts.models.truths import folder_truths, vehicle_truths

Item = TypeVar("Item")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
MAX_COMPARED = 24
MAX_CROPS = 100
"""Maximum number of crops for comparing a classifier's inputs, which takes less time."""
MAX_MORE = 40
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
    """Return the pictures below a directory, and the reasons why others cannot be read.

    Raises:
        ToolError: There are no pictures.
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
    """Return the result of the product's pipeline for one picture.

    Args:
        model: The model to check.
        finder: Detector that finds the vehicles for a classifier; without vehicles the whole
            picture is classified.
        picture: The picture.
        threshold: Minimum score of a detection, 0..1.
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
    """Save a picture with the results drawn on it, as JPEG."""
    boxes = [
        (each.box_xyxy, each.class_name, f"{each.class_name}: {each.score:.2f}") for each in answers
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(annotate(picture.image_rgb, boxes)).save(path, quality=90)


def problems_of(model: Detector | Classifier, pictures: Sequence[Picture]) -> list[str]:
    """Return contradictions between the outputs and the manifest."""
    images_rgb = [picture.image_rgb for picture in evenly(pictures)]
    if isinstance(model, Classifier):
        return activation_problems(model, images_rgb)
    return next(filter(None, (raw_output_problems(model, each) for each in images_rgb)), [])


def hints_for(
    folder: Path, model: Detector | Classifier, finder: Detector, pictures: Sequence[Picture]
) -> list[str]:
    """Return settings that the file or the results contradict, without proof.

    Args:
        folder: The model's folder.
        model: The loaded model.
        finder: The embedded detector.
        pictures: The pictures.
    """
    lines = contradictions(folder)
    if isinstance(model, Detector):
        images_rgb = [picture.image_rgb for picture in evenly(pictures)]
        return lines + detector_hints(model, finder, images_rgb)
    crops_rgb, names, _ = _crops(finder, pictures)
    return lines + classifier_hints(model, crops_rgb, names)


def advice_for(
    model: Detector | Classifier, finder: Detector, pictures: Sequence[Picture]
) -> Advice | None:
    """Return an input that suits the pictures better than the manifest's, or None.

    A classifier's results are compared with true labels where they are known; see `truths`.
    """
    if isinstance(model, Detector):
        images_rgb = [picture.image_rgb for picture in evenly(pictures)]
        compared = {picture.name for picture in evenly(pictures)}
        more_rgb = [each.image_rgb for each in pictures if each.name not in compared]
        return advise(model.manifest, DetectorJudge(model, images_rgb, more_rgb[:MAX_MORE]))
    crops_rgb, names, folders = _crops(finder, pictures)
    if not crops_rgb:
        return None
    labels = model.task.outputs[0].labels
    labelled = folder_truths(folders, labels)
    truths = labelled or vehicle_truths(names, labels)
    judge = ClassifierJudge(model, crops_rgb, truths, is_labelled=labelled is not None)
    return advise(model.manifest, judge)


def _crops(
    finder: Detector, pictures: Sequence[Picture]
) -> tuple[list[ImageRGB], list[str], list[str]]:
    """Return crops of vehicles, the finder's class of each, and the folder of its picture."""
    found = [
        (crop_rgb, vehicle.class_name, picture.folder)
        for picture in pictures
        for vehicles_found in [vehicles(finder, picture.image_rgb, SETTINGS.detection_threshold)]
        for vehicle, crop_rgb in zip(
            vehicles_found, crops(picture.image_rgb, vehicles_found), strict=True
        )
    ]
    chosen = evenly(found, MAX_CROPS)
    return [each[0] for each in chosen], [each[1] for each in chosen], [each[2] for each in chosen]


def evenly(items: Sequence[Item], most: int = MAX_COMPARED) -> Sequence[Item]:
    """Return at most this many items from all over the list: folders often hold one class."""
    step = max(1, -(-len(items) // most))
    return items[::step]


def _answer(detection: Detection, class_name: str, score: float) -> Answer:
    return Answer(class_name, detection.box_xyxy, score, detection.confidence)
