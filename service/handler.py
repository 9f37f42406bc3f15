"""The entry point of the API: a Lambda event becomes a proxy response."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from gateway.deadline import Deadline
from gateway.errors import AllFailed, InternalError, RequestError, ServiceUnavailable
from gateway.event import Request, parse_event
from gateway.response import ProxyResponse, error_response, file_response
from inference.errors import ModelUnavailable
from service.app import App
from service.metrics import emf_line
from service.results import Result
from service.routes import answer_request

ANSWER_SECONDS = 1.0
"""Seconds of the function's own time limit that are kept for writing the answer."""

UNREADABLE = Request("", "", {}, {}, None, None, "unknown")

logger = logging.getLogger("matchvec")


def handle(app: App, event: object, context: object) -> ProxyResponse:
    """Answer an event. Every error becomes a response; nothing is raised.

    Args:
        app: Objects that all requests share.
        event: Event of API Gateway, a function URL or a load balancer.
        context: Lambda's context object, or None.
    """
    is_cold_start = next(app.request_numbers) == 0
    cors_origin = app.settings.cors_origin
    request, error_code = UNREADABLE, None
    results: Sequence[Result] = ()
    try:
        request = parse_event(event, context)
        answer = answer_request(app, request, _deadline(app, context))
        response = file_response(
            request,
            answer.content,
            content_type=answer.content_type,
            cors_origin=cors_origin,
            status=answer.status,
            headers=answer.headers,
        )
        results = answer.results
        error_code = AllFailed.code if answer.status == AllFailed.status else None
    except Exception as failure:
        error = _request_error(failure, request.request_id)
        response = error_response(request, error, cors_origin=cors_origin)
        error_code = error.code
    if namespace := app.settings.metrics_namespace:
        line = emf_line(
            namespace,
            request,
            response["statusCode"],
            error_code,
            results,
            is_cold_start=is_cold_start,
            timestamp_ms=int(time.time() * 1000),
            version=app.settings.function_version,
        )
        print(line, flush=True)
    return response


def _request_error(failure: Exception, request_id: str) -> RequestError:
    """Return the error that the client gets; log the failures that are not the client's."""
    if isinstance(failure, RequestError):
        return failure
    if isinstance(failure, ModelUnavailable):
        logger.exception("request %s: a model is unavailable", request_id)
        return ServiceUnavailable("A model could not be loaded.")
    logger.exception("request %s: internal error", request_id)
    return InternalError("Something went wrong on our side.")


def _deadline(app: App, context: object) -> Deadline:
    """Return the limit of the API or of the function, whichever is earlier."""
    deadline = Deadline.after(app.settings.deadline_seconds, app.clock)
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    if not callable(remaining_ms):
        return deadline
    milliseconds = remaining_ms()
    if not isinstance(milliseconds, int | float):
        return deadline
    return deadline.earlier(milliseconds / 1000 - ANSWER_SECONDS)
