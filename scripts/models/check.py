"""Run a model on pictures and look for mistakes in its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from inference.annotate import annotate
from inference.classification import Classifier
from inference.detection import Detector
from inference.errors import ModelUnavailable
from inference.types import Detection
from scripts.models.advice import Advice, advise
from scripts.models.diagnosis import activation_problems, contradictions, raw_output_problems
from scripts.models.errors import ToolError
from scripts.models.folder import load_model
from scripts.models.golden import Answer
from scripts.models.hints import classifier_hints, detector_hints
from scripts.models.judges import ClassifierJudge, DetectorJudge, Judge, TrueBoxJudge
from scripts.models.naming import matching_labels
from scripts.models.pictures import Crop, Picture, evenly, mixed, read_crops
from scripts.models.product import classify, objects, vehicles
from scripts.models.product import crops as crops_of
from scripts.models.truths import colour_of, colour_truths, folder_truths, vehicle_truths

MAX_COMPARED = 24
MAX_MORE = 100
"""Maximum number of further pictures for comparing colours; more take longer."""
MIN_LABELLED = 8
MAX_LABELLED = 128
"""Number of pictures with true boxes that a detector is judged by."""
MIN_OBJECTS = 20
"""Number of true objects whose class the detector has."""


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
    crops_rgb = crops_of(picture.image_rgb, found)
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
    images_rgb = [picture.image_rgb for picture in evenly(pictures, MAX_COMPARED)]
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
        return lines + detector_hints(model, finder, evenly(pictures, MAX_COMPARED))
    return lines + classifier_hints(model, read_crops(finder, pictures))


def advice_for(
    model: Detector | Classifier, finder: Detector, pictures: Sequence[Picture]
) -> Advice | None:
    """Return an input that suits the pictures better than the manifest's, or None."""
    judge = judge_for(model, finder, pictures)
    return advise(model.manifest, judge) if judge else None


def judge_for(
    model: Detector | Classifier, finder: Detector, pictures: Sequence[Picture]
) -> Judge | None:
    """Return what compares manifests of a model, or None without anything to compare."""
    if isinstance(model, Detector):
        return _detector_judge(model, pictures)
    crops = read_crops(finder, pictures)
    return _classifier_judge(model, crops) if crops else None


def _detector_judge(model: Detector, pictures: Sequence[Picture]) -> Judge:
    some = evenly(pictures, MAX_COMPARED)
    compared = {picture.name for picture in some}
    more_rgb = [each.image_rgb for each in pictures if each.name not in compared]
    views = DetectorJudge(model, [each.image_rgb for each in some], more_rgb[:MAX_MORE])
    labelled = [(each.image_rgb, each.boxes) for each in pictures if each.boxes is not None]
    chosen = mixed(evenly(labelled, MAX_LABELLED))
    names = [name.lower() for _, boxes in chosen for name, _ in boxes]
    labels = model.task.labels
    meanings = {
        name: frozenset(labels[position] for position in matching_labels(name, labels))
        for name in set(names)
    }
    known = sum(bool(meanings[name]) for name in names)
    if not known:
        return views
    can_prove = len(chosen) >= MIN_LABELLED and known >= MIN_OBJECTS
    return TrueBoxJudge(model, chosen, meanings, views, can_prove)


def _classifier_judge(model: Classifier, crops: Sequence[Crop]) -> ClassifierJudge:
    images_rgb = [each.image_rgb for each in crops]
    folders, names = [each.folder for each in crops], [each.class_name for each in crops]
    colours = [colour_of(each) for each in images_rgb]
    truths, is_labelled = {}, False
    for output in model.task.outputs:
        by_folder = folder_truths(folders, output.labels)
        is_labelled |= by_folder is not None
        known = (
            by_folder
            or vehicle_truths(names, output.labels)
            or colour_truths(colours, output.labels)
        )
        if known:
            truths[output.name] = known
    return ClassifierJudge(model, images_rgb, truths, is_labelled)


def _answer(detection: Detection, class_name: str, score: float) -> Answer:
    return Answer(class_name, detection.box_xyxy, score, detection.confidence)
