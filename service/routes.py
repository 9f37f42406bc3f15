"""The route table: how each route of `gateway.routes` is answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from gateway.accept import wanted_picture_type
from gateway.api_key import check_api_key
from gateway.deadline import Deadline
from gateway.errors import AllFailed, InternalError, PartFailed
from gateway.event import Request, decode_body
from gateway.options import Options, parse_options
from gateway.parts import Form, ignored_parts, parse_body
from gateway.response import failed_images, not_classified
from gateway.routes import Route, find_route
from gateway.upload_bucket import parse_upload
from inference.decoding.source import ImageSource
from service.app import App
from service.drawn import check_single, drawn_picture
from service.json_answers import details_json, health_json, models_json, picture_answer_json
from service.limits import request_budget
from service.picture_answers import PICTURE_ROUTES
from service.results import PictureAnswer, Result

logger = logging.getLogger("matchvec")


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose route is known.

    Attributes:
        request: Request of the client.
        route: Route of the request.
        deadline: Time at which the answer must be ready.
    """

    request: Request
    route: Route
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """Content of a request of a picture route.

    Attributes:
        form: Pictures, and names of the fields that are not used.
        options: Options of the query and the form.
        picture_type: Media type of the drawn picture to answer; None for JSON.
    """

    form: Form
    options: Options
    picture_type: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Content of a response.

    Attributes:
        content: Text or binary file.
        content_type: Media type of the content.
        headers: Header fields besides those of every response.
        status: HTTP status.
        results: Results of the pictures, for the metrics.
    """

    content: str | bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = HTTPStatus.OK
    results: Sequence[Result] = ()


def answer_request(app: App, request: Request, deadline: Deadline) -> Answer:
    """Answer a request as the table says for its route.

    Args:
        app: Objects that all requests share.
        request: Request of the client.
        deadline: Time at which the answer must be ready.

    Raises:
        RequestError: The whole request is refused.
        ModelUnavailable: A model that the route needs could not be loaded.
    """
    if request.method == "OPTIONS":
        return Answer("")
    check_api_key(request, app.settings.api_key_secret)
    route = find_route(request.method, request.path)
    return ROUTES[route](app, Call(request, route, deadline))


def _page(app: App, call: Call) -> Answer:
    # Imported here: a cold start that answers pictures needs no page.
    from service.pages import page_of

    page = page_of(call.route, app.uploads.origin if call.route is Route.TRY else "")
    return Answer(page.text, page.content_type, page.headers)


def _health(app: App, _call: Call) -> Answer:
    return _json(health_json(app.models.pipeline()))


def _models(app: App, _call: Call) -> Answer:
    return _json(models_json(app.models.pipeline(), app.settings.detection_threshold))


def _uploads(app: App, call: Call) -> Answer:
    return _json(app.uploads.offer(parse_upload(call.request)))


def _pictures(app: App, call: Call) -> Answer:
    """Answer one result per picture as JSON, or the only picture with its objects drawn on it."""
    route = PICTURE_ROUTES[call.route]
    read = _read_pictures(app, call.request, can_draw=route.draws)
    compute = route.make_function(app, read.options, len(read.form.parts))
    budget = request_budget(app.settings, is_drawn=read.picture_type is not None)
    sources: list[ImageSource] = []

    def keep_source(source: ImageSource) -> PictureAnswer:
        sources.append(source)
        return compute(source)

    function = keep_source if read.picture_type else compute
    results = app.pictures.answer(read.form.parts, function, call.deadline, budget)
    if {result.error.code if result.error else None for result in results} == {PartFailed.code}:
        logger.error("request %s: every picture failed", call.request.request_id)
        raise InternalError("Something went wrong on our side.")
    if read.picture_type:
        picture = drawn_picture(results[0], next(iter(sources), None), read.picture_type)
        headers = _headers(results, read)
        return Answer(picture, read.picture_type, headers, results=results)
    if read.options.details or route.has_details:
        manifests = route.manifests(app.models)
        details = details_json(results, manifests, call.request.request_id)
        return _results_json(details, results, read)
    return _results_json([picture_answer_json(result.answer) for result in results], results, read)


def _read_pictures(app: App, request: Request, *, can_draw: bool) -> PictureRequest:
    """Read the parts and options of a request; `can_draw` if its route can draw on pictures."""
    body = decode_body(request, app.settings.max_request_bytes)
    form = parse_body(
        request.headers.get("content-type", ""),
        body,
        max_images=app.settings.max_images,
        max_urls=app.settings.max_urls,
    )
    options = parse_options({**form.options, **request.query})
    picture_type = wanted_picture_type(request.headers) if can_draw else None
    if picture_type:
        check_single(form.parts)
    return PictureRequest(form, options, picture_type)


def _results_json(value: object, results: Sequence[Result], read: PictureRequest) -> Answer:
    """Answer a JSON value, with the status and headers that the results give it."""
    codes = [result.error.code if result.error else None for result in results]
    headers = {**failed_images(codes), **_headers(results, read)}
    status = AllFailed.status if read.options.strict and all(codes) else HTTPStatus.OK
    return replace(_json(value, headers, results), status=status)


def _headers(results: Sequence[Result], read: PictureRequest) -> dict[str, str]:
    left_out = not_classified([result.not_classified for result in results])
    return {**left_out, **ignored_parts(read.form.ignored)}


def _json(
    value: object, headers: Mapping[str, str] | None = None, results: Sequence[Result] = ()
) -> Answer:
    return Answer(json.dumps(value, allow_nan=False), headers=headers or {}, results=results)


ROUTES: Mapping[Route, Callable[[App, Call], Answer]] = {
    **dict.fromkeys(PICTURE_ROUTES, _pictures),
    Route.UPLOADS: _uploads,
    Route.HEALTH: _health,
    Route.MODELS: _models,
    Route.TRY: _page,
    Route.DOCS: _page,
    Route.DEFINITION: _page,
    Route.SWAGGER_UI_STYLE: _page,
    Route.SWAGGER_UI_SCRIPT: _page,
}
