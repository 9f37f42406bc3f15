"""The configured models, loaded once."""

from __future__ import annotations

from inference.classification import load_classifier
from inference.detection import load_detector
from inference.errors import ModelUnavailable
from inference.manifest import load_manifest
from inference.pipeline import Pipeline
from inference.store import ModelStore
from service.elements import RESERVED_NAMES
from service.settings import BUNDLED_MODELS, Settings


def load_pipeline(settings: Settings) -> Pipeline:
    """Find, check, load and try every configured model.

    Raises:
        ModelUnavailable: One of them can't be used; the message says which and why.
    """
    store = ModelStore(BUNDLED_MODELS, settings.base_model_path, settings.model_uri)
    detector = load_detector(load_manifest(store.find(settings.detection_model)))
    classifiers = tuple(
        load_classifier(load_manifest(store.find(name))) for name in settings.classification_models
    )
    for position, classifier in enumerate(classifiers):
        outputs = [output.name for output in classifier.task.outputs[1:]]
        names = outputs if position == 0 else [classifier.manifest.name]
        if taken := RESERVED_NAMES.intersection(names):
            raise ModelUnavailable(
                f"Model {classifier.manifest.name}: {sorted(taken)} would overwrite a field of "
                "the answer: give the model or its output another name."
            )
    return Pipeline(
        detector=detector,
        classifiers=classifiers,
        min_area=settings.detection_size_threshold,
        max_car_truck_iou=settings.detection_iou_threshold,
    )
