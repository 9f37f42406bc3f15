"""The function of each picture route, and the models it uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gateway.options import Options
from gateway.routes import Route
from inference.decoding.resolution import SMALLEST
from inference.decoding.source import ImageSource
from inference.manifest import Manifest
from service.app import App
from service.models import Models
from service.pictures import PictureFunction
from service.results import PictureAnswer, ShapeHWC

CHANNELS = 3
"""Pictures are decoded to 8-bit RGB, whatever the file holds."""


@dataclass(frozen=True, slots=True)
class PictureRoute:
    """A route that takes pictures.

    Attributes:
        make_function: Returns the function that computes the answer for each picture of a request
            with so many.
        uses_detector: True if the route runs the detector. Its answers are objects with boxes.
        uses_classifiers: True if the route runs the classifiers, too.
        has_details: True if the route always answers as with ``details=true``, so that its answer
            has one type. Clients in typed languages are generated from such routes.
    """

    make_function: Callable[[App, Options, int], PictureFunction]
    uses_detector: bool = False
    uses_classifiers: bool = False
    has_details: bool = False

    @property
    def draws(self) -> bool:
        """True if the objects can be drawn on the picture, and computed for archives."""
        return self.uses_detector and not self.has_details

    def manifests(self, models: Models) -> tuple[Manifest, ...]:
        """Return the manifests of the models that the route runs, the detector's first.

        Raises:
            ModelUnavailable: A model could not be loaded.
        """
        if not self.uses_detector:
            return ()
        pipeline = models.pipeline()
        classifiers = pipeline.classifiers if self.uses_classifiers else ()
        return pipeline.detector.manifest, *(each.manifest for each in classifiers)


def _classify(app: App, options: Options, pictures: int) -> PictureFunction:
    pipeline, threshold = app.models.pipeline_for(pictures), _threshold(app, options)

    def compute(source: ImageSource) -> PictureAnswer:
        return pipeline.predict_class(source, threshold, options.top)

    return compute


def _detect(app: App, options: Options, pictures: int) -> PictureFunction:
    pipeline, threshold = app.models.pipeline_for(pictures), _threshold(app, options)

    def compute(source: ImageSource) -> PictureAnswer:
        return pipeline.predict_objects(source, threshold)

    return compute


def _threshold(app: App, options: Options) -> float:
    """Return the lowest score of a detection that is answered, 0..1.

    A client's threshold has a lower bound: near 0, every picture is full of objects.
    """
    if options.threshold is None:
        return app.settings.detection_threshold
    return max(options.threshold, app.settings.min_threshold)


def _shape(source: ImageSource) -> ShapeHWC:
    """Return the shape of the upright picture, after decoding all of the file."""
    width, height = source.decode(SMALLEST).size_wh
    return height, width, CHANNELS


def _nbytes(source: ImageSource) -> int:
    """Return the bytes of the upright picture's pixels, after decoding all of the file."""
    height, width, channels = _shape(source)
    return height * width * channels


PREDICT = PictureRoute(_classify, uses_detector=True, uses_classifiers=True)
OBJECT_DETECTION = PictureRoute(_detect, uses_detector=True)

PICTURE_ROUTES: Mapping[Route, PictureRoute] = {
    Route.PREDICT: PREDICT,
    Route.PREDICT_DETAILS: replace(PREDICT, has_details=True),
    Route.OBJECT_DETECTION: OBJECT_DETECTION,
    Route.OBJECT_DETECTION_DETAILS: replace(OBJECT_DETECTION, has_details=True),
    Route.SHAPE: PictureRoute(lambda *_: _shape),
    Route.NBYTES: PictureRoute(lambda *_: _nbytes),
}
