"""The configured models, loaded once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inference.classification import Classifier, make_classifier
from inference.detection import make_detector
from inference.errors import ModelUnavailable
from inference.pipeline import Pipeline
from service.json_answers import RESERVED_NAMES
from service.sessions import Sessions
from service.settings import Settings


def load_pipeline(settings: Settings, sessions: Sessions | None = None) -> Pipeline:
    """Load every configured model.

    Args:
        settings: Which ones, where they are, and the filters between them.
        sessions: What has begun to load them; None: nothing has.

    Raises:
        ModelUnavailable: One of them can't be used; the message says which and why.
    """
    first, *others = (sessions or Sessions(settings)).take()
    detector = make_detector(first.manifest, first.session)
    classifiers = tuple(make_classifier(each.manifest, each.session) for each in others)
    check_names(classifiers)
    return Pipeline(
        detector=detector,
        classifiers=classifiers,
        min_area=settings.detection_size_threshold,
        max_car_truck_iou=settings.detection_iou_threshold,
    )


def check_names(classifiers: Sequence[Classifier]) -> None:
    """Check that every classifier and output has a place of its own in the answer.

    Raises:
        ModelUnavailable: One would overwrite another, or a published field.
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
                "the answer: give them other names, and name every model once."
            )
