"""Decides which classes of a vehicle are answered, and which one names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference.class_outputs import KIND, ClassificationTask
from inference.types import Attribute, Classification, Detection, Vehicle


@dataclass(frozen=True, slots=True)
class ClassifierAnswer:
    """The classes that a classifier finds in one crop.

    Attributes:
        classifier: Name of the classifier.
        task: Its outputs and their roles.
        classes: Classes by output name, in the manifest's order.
    """

    classifier: str
    task: ClassificationTask
    classes: Mapping[str, Classification]


def describe_vehicle(detection: Detection, answers: Sequence[ClassifierAnswer]) -> Vehicle:
    """Return a vehicle with the classes that apply to it.

    Outputs with roles are answered under their role if they apply to the vehicle's kind. The
    vehicle's name is the first of them, in the manifests' order, whose probability reaches its
    threshold; if none does, the detector's class.

    Without roles, the first output of the first classifier is the name. Its other outputs are
    answered under their own names, and further classifiers under theirs.

    Args:
        detection: Box, class and score of the detector.
        answers: Classes of the vehicle's crop, in the configured order of the classifiers.
    """
    kind = _kind(detection, answers)
    name: Classification | None = None
    attributes: dict[str, Attribute] = {}
    for position, answer in enumerate(answers):
        if answer.task.has_roles:
            for output in answer.task.outputs:
                if output.role and (not output.applies_to or kind in output.applies_to):
                    found = answer.classes[output.name]
                    attributes[output.role] = Attribute(found)
                    if name is None and output.is_sure(found):
                        name = found
            continue
        (_, first), *further = answer.classes.items()
        if position == 0:
            name = first
            attributes.update({output: Attribute(found) for output, found in further})
        else:
            attributes[answer.classifier] = Attribute(first, dict(further))
    if name is None and answers:
        name = _detected_class(detection)
    return Vehicle(detection, name, attributes)


def describe_unclassified(detection: Detection) -> Vehicle:
    """Return a vehicle that the limit of crops left out, named by the detector's class."""
    return Vehicle(detection, _detected_class(detection), is_classified=False)


def _detected_class(detection: Detection) -> Classification:
    return Classification((detection.class_name,), (detection.confidence,))


def _kind(detection: Detection, answers: Sequence[ClassifierAnswer]) -> str:
    """Return the first class of the role `kind`, or the detector's class if no output has it."""
    kinds = (
        answer.classes[output.name].names[0]
        for answer in answers
        for output in answer.task.outputs
        if output.role == KIND
    )
    return next(kinds, detection.class_name)
