"""The configured models' files -> sessions, made ready while the rest of the start goes on."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from inference.manifest import Manifest, load_manifest
from inference.session import Session, load_session
from inference.smoke_test import smoke_test
from inference.store import ModelStore
from service.settings import BUNDLED_MODELS, Settings


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that does what its manifest says.

    Attributes:
        manifest: What it is.
        session: What runs it.
    """

    manifest: Manifest
    session: Session


class Sessions:
    """The configured models, the detector first; loading begins when this is made.

    Args:
        settings: Which ones, and where they are.
    """

    def __init__(self, settings: Settings) -> None:
        """Begin: onnxruntime prepares a model without Python's lock, so this thread can go on."""
        self._settings = settings
        thread = ThreadPoolExecutor(1)
        self._begun: Future[list[LoadedModel]] | None = thread.submit(load_models, settings)
        thread.shutdown(wait=False)

    def take(self) -> list[LoadedModel]:
        """Wait for the models; when they have been taken before, as they failed, load them anew.

        Raises:
            ModelUnavailable: One of them can't be used; the message says which and why.
            Exception: Whatever else went wrong in the thread that began.
        """
        begun, self._begun = self._begun, None
        return begun.result() if begun else load_models(self._settings)


def load_models(settings: Settings) -> list[LoadedModel]:
    """Find, check, load and try every configured model, the detector first.

    Raises:
        ModelUnavailable: One of them can't be used; the message says which and why.
    """
    store = ModelStore(BUNDLED_MODELS, settings.base_model_path, settings.model_uri)
    names = (settings.detection_model, *settings.classification_models)
    manifests = [load_manifest(store.find(name)) for name in names]
    with ThreadPoolExecutor(len(manifests)) as pool:
        return list(pool.map(partial(_load, threads=settings.workers), manifests))


def _load(manifest: Manifest, threads: int) -> LoadedModel:
    session = load_session(manifest, threads)
    smoke_test(manifest, session)
    return LoadedModel(manifest, session)
