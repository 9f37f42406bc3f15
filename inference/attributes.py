"""Decides which classes of a vehicle are answered, and which one names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inference.class_outputs import KIND, ClassificationTask
from inference.types import Classification, Detection, Vehicle

Answer = tuple[str, ClassificationTask, Mapping[str, Classification]]
"""Name and task of a classifier, and its classes of one crop by output name."""


def describe_vehicle(detection: Detection, answers: Sequence[Answer]) -> Vehicle:
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
    attributes: dict[str, Mapping[str, Classification]] = {}
    for position, (classifier, task, classes) in enumerate(answers):
        if task.has_roles:
            for output in task.outputs:
                if output.role and (not output.applies_to or kind in output.applies_to):
                    found = classes[output.name]
                    attributes[output.role] = {output.role: found}
                    if name is None and output.is_sure(found):
                        name = found
        elif position == 0:
            (_, name), *others = classes.items()
            attributes.update({output: {output: found} for output, found in others})
        else:
            attributes[classifier] = classes
    if name is None and answers:
        name = Classification((detection.class_name,), (detection.confidence,))
    return Vehicle(detection, name, attributes)


def _kind(detection: Detection, answers: Sequence[Answer]) -> str:
    """Return the first class of the role `kind`, or the detector's class if no output has it."""
    kinds = (
        classes[output.name].names[0]
        for _, task, classes in answers
        for output in task.outputs
        if output.role == KIND
    )
    return next(kinds, detection.class_name)
