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
        load_for_several: Loads them for several pictures at a time, with the first request that
            has several; None if the same models suit it.
    """

    def __init__(
        self,
        load: Callable[[], Pipeline],
        load_for_several: Callable[[], Pipeline] | None = None,
    ) -> None:
        """Start loading in a thread: onnxruntime prepares a model without Python's lock."""
        self._load = load
        self._load_for_several = load_for_several
        self._pipeline: Pipeline | None = None
        self._pipeline_for_several: Pipeline | None = None
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

    def pipeline_for(self, pictures: int) -> Pipeline:
        """Return the models for a request with so many pictures.

        Several pictures are processed side by side, one per core. Each run then has one thread:
        runs that share their threads wait for each other and take a third longer.

        Raises:
            ModelUnavailable: A model can't be used; the message says which and why.
        """
        if pictures == 1 or self._load_for_several is None:
            return self.pipeline()
        if self._pipeline_for_several is None:
            self._pipeline_for_several = self._load_for_several()
        return self._pipeline_for_several


def make_models(settings: Settings) -> Models:
    """Start loading the configured models."""
    for_several = partial(load_pipeline, settings, 1) if settings.workers > 1 else None
    return Models(partial(load_pipeline, settings, settings.workers), for_several)


def load_pipeline(settings: Settings, threads: int = 1) -> Pipeline:
    """Find, check, load and smoke-test every configured model.

    Args:
        settings: Names and locations of the models, and the filters between them.
        threads: Threads per run of a model, at most one per core.

    Raises:
        ModelUnavailable: A model can't be used; the message says which and why.
    """
    store = ModelStore(BUNDLED_MODELS, settings.base_model_path, settings.model_uri)
    names = (settings.detection_model, *settings.classification_models)
    manifests = [load_manifest(store.find(name)) for name in names]
    with ThreadPoolExecutor(len(manifests)) as pool:
        sessions = list(pool.map(partial(_load_session, threads=threads), manifests))
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
