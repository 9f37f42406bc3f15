"""Loads the configured models, in a thread while the rest of the function is imported."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from inference.errors import ModelUnavailable
from inference.manifest import Manifest, load_manifest
from inference.session import Session, load_session
from inference.smoke_test import smoke_test
from inference.store import ModelStore
from service.settings import BUNDLED_MODELS, Settings

if TYPE_CHECKING:
    from inference.pipeline import Pipeline


class Models:
    """The models, which start loading when this object is created.

    Args:
        load: Loads them.
    """

    def __init__(self, load: Callable[[], Pipeline]) -> None:
        """Start loading in a thread: onnxruntime prepares a model without Python's lock."""
        self._load = load
        self._pipeline: Pipeline | None = None
        thread = ThreadPoolExecutor(1, thread_name_prefix="models")
        self._loading: Future[Pipeline] | None = thread.submit(load)
        thread.shutdown(wait=False)

    def pipeline(self) -> Pipeline:
        """Return the loaded models. After a failure, the next call loads them again.

        Raises:
            ModelUnavailable: A model can't be used; the message says which and why.
        """
        if self._pipeline is None:
            loading, self._loading = self._loading, None
            try:
                self._pipeline = loading.result() if loading else self._load()
            except ModelUnavailable:
                raise
            except Exception as error:  # A model's files can be wrong in unforeseen ways.
                raise ModelUnavailable("The models could not be loaded.") from error
        return self._pipeline


def load_pipeline(settings: Settings) -> Pipeline:
    """Find, check, load and smoke-test every configured model.

    Args:
        settings: Names and locations of the models, and the filters between them.

    Raises:
        ModelUnavailable: A model can't be used; the message says which and why.
    """
    store = ModelStore(BUNDLED_MODELS, settings.base_model_path, settings.model_uri)
    names = (settings.detection_model, *settings.classification_models)
    manifests = [load_manifest(store.find(name)) for name in names]
    with ThreadPoolExecutor(len(manifests)) as pool:
        sessions = list(pool.map(partial(_load_session, threads=settings.workers), manifests))
    # These modules import OpenCV, which would delay the sessions at startup.
    from inference.classification import make_classifier
    from inference.detection import make_detector
    from inference.pipeline import Pipeline
    from service.json_answers import check_names

    detector, *classifiers = zip(manifests, sessions, strict=True)
    pipeline = Pipeline(
        detector=make_detector(*detector),
        classifiers=tuple(make_classifier(*each) for each in classifiers),
        min_area=settings.detection_size_threshold,
        max_car_truck_iou=settings.detection_iou_threshold,
    )
    check_names(pipeline.classifiers)
    return pipeline


def _load_session(manifest: Manifest, threads: int) -> Session:
    session = load_session(manifest, threads)
    smoke_test(manifest, session)
    return session
