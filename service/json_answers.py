"""Domain objects as the JSON of the answers: the published fields, and those of further outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gateway.parts import FormFile, Part, S3Field
from gateway.urls import describe_url
from inference.class_outputs import ClassOutput
from inference.classification import Classifier
from inference.detection import Detector
from inference.errors import ModelUnavailable
from inference.manifest import Manifest
from inference.pipeline import Pipeline
from inference.types import Attribute, Classification, Detection, Vehicle
from service import VERSION
from service.results import PictureAnswer, Result

Json = dict[str, Any]

RESERVED_NAMES = frozenset(
    {"x1", "y1", "x2", "y2", "class_name", "confidence", "label", "pred", "prob"}
)
"""Published fields of an object. No further classifier or output may have these names."""

DIGITS = 6
"""Decimals of scores: a float32 model has no more that mean anything."""


def picture_answer_json(answer: PictureAnswer | None) -> object:
    """Return the element of one part: an array of objects, a shape, or a number of bytes.

    A part that failed, None, has an empty array.
    """
    if answer is None:
        return []
    if isinstance(answer, list):
        return [object_json(each) for each in answer]
    return answer


def object_json(each: Detection | Vehicle) -> Json:
    """Return one object of `/object_detection`, or one vehicle of `/predict`.

    A vehicle's name fills `label`, `pred` and `prob`; its attributes have a field each.
    """
    detection = each if isinstance(each, Detection) else each.detection
    x1, y1, x2, y2 = detection.box_xyxy
    element: Json = {
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "class_name": detection.class_name,
        "confidence": round(detection.confidence, DIGITS),
        "label": label_of(each),
    }
    if isinstance(each, Vehicle):
        if each.name:
            element |= _classification_json(each.name)
        element |= {name: _attribute_json(found) for name, found in each.attributes.items()}
    return element


def label_of(each: Detection | Vehicle) -> str:
    """Return the text that names an object: its class and score, such as ``car: 0.9512``."""
    if isinstance(each, Detection):
        return _label(each.class_name, each.confidence)
    if each.name is None:
        return label_of(each.detection)
    return _label(each.name.names[0], each.name.probabilities[0])


def details_json(results: Sequence[Result], manifests: Sequence[Manifest], request_id: str) -> Json:
    """Return the answer of a picture route with ``details=true``.

    Args:
        results: Results of the parts, in order.
        manifests: Manifests of the models that the route runs, the detector's first.
        request_id: Identifier of the request.
    """
    models = [model_json(manifest) for manifest in manifests]
    return {
        "model": {"detection": models[0] if models else None, "classification": models[1:]},
        "images": [_result_json(result) for result in results],
        "request_id": request_id,
    }


def model_json(manifest: Manifest) -> Json:
    """Return a model's identity: two answers with the same one come from the same model."""
    return {"name": manifest.name, "version": manifest.version, "sha256": manifest.sha256}


def health_json(pipeline: Pipeline) -> Json:
    """Return the answer of `/health`."""
    return {
        "status": "ok",
        "version": VERSION,
        "models": {
            "detection": model_json(pipeline.detector.manifest),
            "classification": [model_json(each.manifest) for each in pipeline.classifiers],
        },
    }


def models_json(pipeline: Pipeline, threshold: float) -> Json:
    """Return the answer of `/models`; `threshold` is the default of the option, 0..1."""
    return {
        "detection": {**detector_json(pipeline.detector), "threshold": threshold},
        "classification": [classifier_json(each) for each in pipeline.classifiers],
    }


def detector_json(detector: Detector) -> Json:
    """Return the description of a detector."""
    return {
        **_description_json(detector.manifest),
        "labels": list(detector.task.labels),
        "vehicles": sorted(detector.task.vehicles),
    }


def classifier_json(classifier: Classifier) -> Json:
    """Return the description of a classifier."""
    outputs = [_output_json(output) for output in classifier.task.outputs]
    return {**_description_json(classifier.manifest), "outputs": outputs}


def check_names(classifiers: Sequence[Classifier]) -> None:
    """Check that every classifier and every output has a field of its own in the answer.

    Raises:
        ModelUnavailable: A classifier or output would overwrite another one or a published field.
    """
    top_level: list[str] = []
    levels = [top_level]
    for position, classifier in enumerate(classifiers):
        further = [output.name for output in classifier.task.outputs[1:]]
        if classifier.task.has_roles:
            top_level += [output.role for output in classifier.task.outputs if output.role]
        elif position == 0:
            top_level += further
        else:
            top_level.append(classifier.manifest.name)
            levels.append(further)
    models = [each.manifest.name for each in classifiers]
    for names in (models, *([*RESERVED_NAMES, *level] for level in levels)):
        counts = Counter(names)
        if taken := sorted(name for name, count in counts.items() if count > 1):
            raise ModelUnavailable(
                f"CLASSIFICATION_MODEL: the models or outputs {taken} would overwrite a field of "
                "the answer. Give them other names, and list every model once."
            )


def _result_json(result: Result) -> Json:
    error, timing = result.error, result.timing
    width, height = result.size_wh or (None, None)
    left_out = {"not_classified": result.not_classified} if result.not_classified else {}
    return {
        **_part_json(result.part),
        "width": width,
        "height": height,
        "predictions": picture_answer_json(result.answer),
        **left_out,
        "error": {"code": error.code, "message": error.message} if error else None,
        "timing_ms": {
            "fetch": round(timing.fetch, 1),
            "decode": round(timing.decode, 1),
            "inference": round(timing.inference, 1),
        },
    }


def _part_json(part: Part) -> Json:
    if isinstance(part, FormFile):
        return {"field": part.field, "filename": part.filename}
    field = "s3" if isinstance(part, S3Field) else "url"
    return {"field": field, "filename": describe_url(part.url)}


def _description_json(manifest: Manifest) -> Json:
    size = {"width": manifest.input.width, "height": manifest.input.height}
    return {**model_json(manifest), "licence": manifest.licence, "input": size}


def _output_json(output: ClassOutput) -> Json:
    described = {"name": output.name, "labels": list(output.labels)}
    if output.role is None:
        return described
    return {
        **described,
        "role": output.role,
        "applies_to": sorted(output.applies_to),
        "threshold": output.threshold,
    }


def _attribute_json(attribute: Attribute) -> Json:
    further = {name: _classification_json(each) for name, each in attribute.further.items()}
    return _classification_json(attribute.classes) | further


def _classification_json(classification: Classification) -> Json:
    return {
        "label": _label(classification.names[0], classification.probabilities[0]),
        "pred": list(classification.names),
        "prob": [round(probability, DIGITS) for probability in classification.probabilities],
    }


def _label(name: str, score: float) -> str:
    return f"{name}: {round(score, 4)}"
