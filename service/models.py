"""The configured models, loaded once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from inference.classification import Classifier, load_classifier
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
    folders = [
        store.find(name) for name in (settings.detection_model, *settings.classification_models)
    ]
    threads = settings.workers
    # Side by side: onnxruntime prepares a model without Python's lock.
    with ThreadPoolExecutor(len(folders)) as pool:
        loading = [
            pool.submit(load_classifier, load_manifest(folder), threads) for folder in folders[1:]
        ]
        detector = load_detector(load_manifest(folders[0]), threads)
        classifiers = tuple(each.result() for each in loading)
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
