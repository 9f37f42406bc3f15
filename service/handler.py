"""The one handler of the API: an event comes in, a proxy response goes out.

    event -> gateway.event -> gateway.parts (-> gateway.fetch)
          -> inference.decoding.decode -> inference.pipeline -> gateway.response -> proxy response

Nothing is ever raised to Lambda: what goes wrong is a class with a status and a code, and
`Handler.__call__` is the one place that turns it into an answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.accept import wanted_picture_type
from gateway.deadline import Clock, Deadline
from gateway.errors import InternalError, PartFailed, RequestError, ServiceUnavailable
from gateway.event import Request, decode_body, parse_event
from gateway.fetch import Fetcher
from gateway.options import Options, parse_options
from gateway.parts import parse_parts
from gateway.response import (
    ProxyResponse,
    error_response,
    failed_images,
    file_response,
    json_response,
)
from gateway.routes import DRAWN, PAGES, Route, find_route, route_of
from gateway.upload_bucket import UploadBucket, parse_upload
from inference.errors import ModelUnavailable
from inference.pipeline import Pipeline
from service.drawn import check_single, drawn_picture
from service.json_answers import (
    health_json,
    model_json,
    models_json,
)
from service.metrics import emf_line
from service.models import load_pipeline
from service.pictures import PictureService, Predict, Result
from service.predictions import classify, detect, nbytes_of, shape_of
from service.settings import Settings
from service.upload_bucket import uploads_of

ANSWER_SECONDS = 1.0
"""What of the function's own time limit is kept for writing the answer."""

OUR_FAULT = "Something went wrong on our side."
UNREADABLE = Request("", "", {}, {}, None, None, "unknown")

logger = logging.getLogger("matchvec")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and what the metrics tell of it.

    Attributes:
        response: What Lambda returns.
        results: What became of the parts.
        error_code: Why the request as a whole was refused, None where it was not.
    """

    response: ProxyResponse
    results: Sequence[Result] = ()
    error_code: str | None = None


class Handler:
    """A Lambda handler with its settings and its models.

    Args:
        settings: The configuration.
        fetcher: Fetches urls; None: one that goes to the public internet.
        clock: Monotonic seconds.
        load: Loads the models; a failure is logged, answered with 503, and tried again.
        uploads: Where clients may send large pictures; None: where the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        fetcher: Fetcher | None = None,
        clock: Clock = time.monotonic,
        load: Callable[[Settings], Pipeline] = load_pipeline,
        uploads: UploadBucket | None = None,
    ) -> None:
        """Load the models, so that the first client does not wait for them."""
        self._settings = settings
        self._clock = clock
        self._load = load
        self._loaded: Pipeline | None = None
        self._is_cold = True
        self._uploads = uploads or uploads_of(settings)
        self._pictures = PictureService(
            fetcher=fetcher or _fetcher(settings),
            max_pixels=settings.max_pixels,
            max_urls=settings.max_urls,
            workers=settings.workers,
            uploads=self._uploads,
        )
        try:
            self._pipeline()
        except ModelUnavailable:
            logger.exception("the models could not be loaded at start")

    def __call__(self, event: object, context: object) -> ProxyResponse:
        """Answer one event of any front door; never raises."""
        request = UNREADABLE
        try:
            request = parse_event(event, context)
            answer = self._answer(request, self._deadline(context))
        except RequestError as error:
            answer = self._refuse(request, error)
        except ModelUnavailable:
            logger.exception("request %s: a model is unavailable", request.request_id)
            answer = self._refuse(request, ServiceUnavailable("A model could not be loaded."))
        except Exception:  # The last line of defence: a client gets an answer whatever happens.
            logger.exception("request %s: internal error", request.request_id)
            answer = self._refuse(request, InternalError(OUR_FAULT))
        if self._settings.metrics_namespace:
            self._count(request, answer)
        self._is_cold = False
        return answer.response

    def _answer(self, request: Request, deadline: Deadline) -> Answer:
        if request.method == "OPTIONS":
            return Answer(self._json(request, None))
        route = find_route(request.method, request.path)
        if route is Route.HEALTH:
            return Answer(self._json(request, health_json(self._pipeline())))
        if route is Route.MODELS:
            return Answer(self._json(request, models_json(self._pipeline())))
        if route in PAGES:
            return Answer(self._page(request, route))
        if route is Route.UPLOADS:
            return Answer(self._json(request, self._uploads.offer(parse_upload(request))))
        return self._answer_pictures(request, route, deadline)

    def _answer_pictures(self, request: Request, route: Route, deadline: Deadline) -> Answer:
        options = parse_options(request.query)
        body = decode_body(request, self._settings.max_request_bytes)
        parts = parse_parts(
            request.headers.get("content-type", ""),
            body,
            max_images=self._settings.max_images,
            max_urls=self._settings.max_urls,
        )
        picture_type = wanted_picture_type(request.headers) if route in DRAWN else None
        if picture_type:
            check_single(parts)
        results = self._pictures.answer(parts, self._predict(route, options), deadline)
        answer: Any = [result.predictions for result in results]
        if options.details:
            answer = self._details(request, route, results)
        codes = [result.error.code if result.error else None for result in results]
        if set(codes) == {PartFailed.code}:
            logger.error("request %s: every part failed", request.request_id)
            raise InternalError(OUR_FAULT)
        if picture_type:
            picture = drawn_picture(results[0], picture_type, self._settings.max_pixels)
            return Answer(self._file(request, picture, picture_type), results)
        return Answer(self._json(request, answer, failed_images(codes)), results)

    def _predict(self, route: Route, options: Options) -> Predict:
        """What a route makes of one picture."""
        if route is Route.SHAPE:
            return shape_of
        if route is Route.NBYTES:
            return nbytes_of
        threshold = options.threshold
        if threshold is None:
            threshold = self._settings.detection_threshold
        if route is Route.OBJECT_DETECTION:
            return partial(detect, self._pipeline(), threshold)
        return partial(classify, self._pipeline(), threshold, options.top)

    def _details(self, request: Request, route: Route, results: list[Result]) -> dict[str, Any]:
        uses_models = route in (Route.OBJECT_DETECTION, Route.PREDICT)
        classifiers = self._pipeline().classifiers if route is Route.PREDICT else ()
        return {
            "model": {
                "detection": model_json(self._pipeline().detector.manifest)
                if uses_models
                else None,
                "classification": [model_json(each.manifest) for each in classifiers],
            },
            "images": [result.details_json() for result in results],
            "request_id": request.request_id,
        }

    def _pipeline(self) -> Pipeline:
        if self._loaded is None:
            try:
                self._loaded = self._load(self._settings)
            except ModelUnavailable:
                raise
            except Exception as error:  # A model's files can be wrong in ways nobody foresaw.
                raise ModelUnavailable("The models could not be loaded.") from error
        return self._loaded

    def _deadline(self, context: object) -> Deadline:
        """The gateway's limit or the function's own, whichever comes first."""
        deadline = Deadline.after(self._settings.deadline_seconds, self._clock)
        remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
        if not callable(remaining_ms):
            return deadline
        milliseconds = remaining_ms()
        if not isinstance(milliseconds, int | float):
            return deadline
        return deadline.earlier(milliseconds / 1000 - ANSWER_SECONDS)

    def _page(self, request: Request, route: Route) -> ProxyResponse:
        from service.pages import page_of

        page = page_of(route, self._uploads.origin if route is Route.TRY else "")
        return self._file(request, page.text, page.content_type, page.headers)

    def _file(
        self,
        request: Request,
        content: str | bytes,
        content_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> ProxyResponse:
        origin = self._settings.cors_origin
        return file_response(
            request, content, content_type=content_type, cors_origin=origin, headers=headers
        )

    def _json(
        self, request: Request, answer: object, headers: dict[str, str] | None = None
    ) -> ProxyResponse:
        origin = self._settings.cors_origin
        return json_response(request, answer, cors_origin=origin, headers=headers)

    def _refuse(self, request: Request, error: RequestError) -> Answer:
        response = error_response(request, error, cors_origin=self._settings.cors_origin)
        return Answer(response, error_code=error.code)

    def _count(self, request: Request, answer: Answer) -> None:
        line = emf_line(
            self._settings.metrics_namespace,
            request,
            route_of(request.path),
            answer.response["statusCode"],
            answer.error_code,
            answer.results,
            is_cold_start=self._is_cold,
            timestamp_ms=int(time.time() * 1000),
        )
        print(line, flush=True)


def _fetcher(settings: Settings) -> Fetcher:
    return Fetcher(
        max_bytes=settings.max_url_bytes,
        timeout_seconds=settings.url_timeout_seconds,
        is_enabled=settings.url_fetch,
        allowed_hosts=settings.url_allowed_hosts,
    )
