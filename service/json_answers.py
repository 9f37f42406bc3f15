"""The JSON elements of the answers: the published shape, and the models' own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inference.classification import Classifier
from inference.detection import Detector
from inference.errors import ModelUnavailable
from inference.manifest import Manifest
from inference.pipeline import Pipeline
from inference.types import BoxXYXY, Classification, Detection, Vehicle
from service import VERSION
from service.pictures import Result

Element = dict[str, Any]

RESERVED_NAMES = frozenset(
    {"x1", "y1", "x2", "y2", "class_name", "confidence", "label", "pred", "prob"}
)
"""Fields of an element, which no further classifier or output may be called."""

DIGITS = 6
"""Decimals of scores in answers: more than a float32 network means, fewer than it prints."""


def detection_json(detection: Detection) -> Element:
    """One object of `/object_detection`."""
    x1, y1, x2, y2 = detection.box_xyxy
    return {
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "class_name": detection.class_name,
        "confidence": round(detection.confidence, DIGITS),
        "label": _label(detection.class_name, detection.confidence),
    }


def vehicle_json(vehicle: Vehicle) -> Element:
    """One vehicle of `/predict`: the main classifier's answer in it, further ones by name."""
    element = detection_json(vehicle.detection)
    for position, (name, outputs) in enumerate(vehicle.classifications.items()):
        if position == 0:
            element.update(_outputs_json(outputs))
        else:
            element[name] = _outputs_json(outputs)
    return element


def labelled_boxes(elements: Iterable[Element]) -> list[tuple[BoxXYXY, str, str]]:
    """What is drawn of objects or vehicles: box, class name and label of each."""
    return [
        ((each["x1"], each["y1"], each["x2"], each["y2"]), each["class_name"], each["label"])
        for each in elements
    ]


def check_names(classifiers: Sequence[Classifier]) -> None:
    """Check that every classifier and every output has a field of its own in the answer.

    Raises:
        ModelUnavailable: A classifier or output would overwrite another one or a published field.
    """
    further = [[output.name for output in each.task.outputs[1:]] for each in classifiers]
    top_level = [*further[0], *(each.manifest.name for each in classifiers[1:])] if further else []
    models = [each.manifest.name for each in classifiers]
    levels = [[*RESERVED_NAMES, *names] for names in (top_level, *further[1:])]
    for names in (models, *levels):
        counts = Counter(names)
        if taken := sorted(name for name, count in counts.items() if count > 1):
            raise ModelUnavailable(
                f"CLASSIFICATION_MODEL: the models or outputs {taken} would overwrite a field of "
                "the answer. Give them other names, and list every model once."
            )


def model_json(manifest: Manifest) -> Element:
    """Which model it is: enough to tell whether two answers came from the same one."""
    return {"name": manifest.name, "version": manifest.version, "sha256": manifest.sha256}


def details_json(
    results: Sequence[Result], manifests: Sequence[Manifest], request_id: str
) -> Element:
    """Return the answer of a picture route with ``details=true``.

    Args:
        results: Results of the pictures, in order.
        manifests: Manifests of the models that the route runs, the detector's first.
        request_id: Identifier of the request.
    """
    models = [model_json(manifest) for manifest in manifests]
    return {
        "model": {"detection": models[0] if models else None, "classification": models[1:]},
        "images": [result.details_json() for result in results],
        "request_id": request_id,
    }


def health_json(pipeline: Pipeline) -> Element:
    """The answer of `/health`."""
    return {
        "status": "ok",
        "version": VERSION,
        "models": {
            "detection": model_json(pipeline.detector.manifest),
            "classification": [model_json(each.manifest) for each in pipeline.classifiers],
        },
    }


def models_json(pipeline: Pipeline) -> Element:
    """The answer of `/models`."""
    return {
        "detection": detector_json(pipeline.detector),
        "classification": [classifier_json(each) for each in pipeline.classifiers],
    }


def detector_json(detector: Detector) -> Element:
    """All that `/models` tells of a detector."""
    return {
        **_described(detector.manifest),
        "labels": list(detector.task.labels),
        "vehicles": sorted(detector.task.vehicles),
    }


def classifier_json(classifier: Classifier) -> Element:
    """All that `/models` tells of a classifier."""
    outputs = [
        {"name": output.name, "labels": list(output.labels)} for output in classifier.task.outputs
    ]
    return {**_described(classifier.manifest), "outputs": outputs}


def _described(manifest: Manifest) -> Element:
    size = {"width": manifest.input.width, "height": manifest.input.height}
    return {**model_json(manifest), "licence": manifest.licence, "input": size}


def _outputs_json(outputs: Mapping[str, Classification]) -> Element:
    element: Element = {}
    for position, (name, classification) in enumerate(outputs.items()):
        if position == 0:
            element.update(_classification_element(classification))
        else:
            element[name] = _classification_element(classification)
    return element


def _classification_element(classification: Classification) -> Element:
    return {
        "label": _label(classification.names[0], classification.probabilities[0]),
        "pred": list(classification.names),
        "prob": [round(probability, DIGITS) for probability in classification.probabilities],
    }


def _label(name: str, score: float) -> str:
    return f"{name}: {round(score, 4)}"
