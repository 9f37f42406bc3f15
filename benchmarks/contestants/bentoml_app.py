"""BentoML as in its documentation: a service class, files as paths, two workers.

bentoml serve benchmarks.contestants.bentoml_app:Matchvec --port PORT
"""

from pathlib import Path
from typing import Any

import bentoml
import httpx

from benchmarks.contestants.options import session_options
from benchmarks.contestants.plain import PlainModels


@bentoml.service(workers=2, traffic={"timeout": 60})
class Matchvec:
    """A service with both routes."""

    def __init__(self) -> None:
        """Load the models, once per worker."""
        self.models = PlainModels(options=session_options())

    @bentoml.api
    def object_detection(self, image: list[Path] = [], url: str = "") -> list[Any]:  # noqa: B006  BentoML's idiom
        """Return the objects of every picture."""
        return [self.models.detect(content) for content in _contents(image, url)]

    @bentoml.api
    def predict(self, image: list[Path] = [], url: str = "") -> list[Any]:  # noqa: B006  as above
        """Return the classified vehicles of every picture."""
        return [self.models.predict(content) for content in _contents(image, url)]


def _contents(image: list[Path], url: str) -> list[bytes]:
    files = [path.read_bytes() for path in image]
    return [*files, httpx.get(url, timeout=5).content] if url else files
