"""Build the proxy responses that API Gateway, function URLs and ALBs expect.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from gateway.errors import InternalError, RequestError, TooLarge
from gateway.event import Request

ProxyResponse = dict[str, Any]

ALLOWED_HEADERS = "*, Authorization"
"""All request headers; the wildcard does not cover Authorization (Fetch standard, CORS)."""

ALLOWED_METHODS = "GET, HEAD, POST, OPTIONS"
MAX_RESPONSE_BYTES = 6_000_000
"""Lambda's limit is 6 MiB; the rest is left for the headers.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

EXPOSED_HEADERS = "X-Failed-Images, X-Ignored-Parts, X-Not-Classified, X-Request-Id"
MAX_AGE_SECONDS = "7200"
"""Seconds that browsers may cache a preflight response; Chromium allows no more."""


def json_response(
    request: Request,
    answer: object,
    *,
    cors_origin: str,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> ProxyResponse:
    """Build a JSON response with CORS headers, in the format of the request's event source.

    Args:
        request: Request to respond to.
        answer: JSON value of the body; None for an empty body.
        cors_origin: Origin that may read the response in a browser, or ``*``.
        status: HTTP status.
        headers: Additional headers.

    Raises:
        ValueError: The answer contains NaN or infinity, which JSON does not support.
        TooLarge: The body exceeds Lambda's response limit.
    """
    body = "" if answer is None else json.dumps(answer, allow_nan=False)
    return file_response(
        request,
        body,
        content_type="application/json",
        cors_origin=cors_origin,
        status=status,
        headers=headers,
    )


def file_response(
    request: Request,
    content: str | bytes,
    *,
    content_type: str,
    cors_origin: str,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> ProxyResponse:
    """Build a text or binary response with CORS headers, in the format of the event source.

    An API Gateway REST API decodes a binary body only if the first media type of Accept is one
    of the binary media types of its definition; other clients receive the base64 text.

    Args:
        request: Request to respond to; HEAD requests get an empty body.
        content: Text, or bytes, which are encoded as base64.
        content_type: Media type of the content.
        cors_origin: Origin that may read the response in a browser, or ``*``.
        status: HTTP status.
        headers: Additional headers. If the client already has their ``ETag``, the status is 304.

    Raises:
        TooLarge: The body exceeds Lambda's response limit.
    """
    fields = {
        "Content-Type": content_type,
        "Access-Control-Allow-Origin": cors_origin,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        "X-Request-Id": request.request_id,
        **({"Access-Control-Max-Age": MAX_AGE_SECONDS} if request.method == "OPTIONS" else {}),
        **(headers or {}),
    }
    if status == HTTPStatus.OK and _client_has(request, fields.get("ETag")):
        status = HTTPStatus.NOT_MODIFIED
    if request.method == "HEAD" or status == HTTPStatus.NOT_MODIFIED:
        content = ""
    body = content if isinstance(content, str) else b64encode(content).decode()
    # Lambda serializes the body as a JSON string, which escapes quotes and backslashes.
    size = len(body) + body.count('"') + body.count("\\")
    if size > MAX_RESPONSE_BYTES:
        raise TooLarge(
            f"The response has {size} bytes, the limit is {MAX_RESPONSE_BYTES}. "
            "Send fewer pictures, raise the threshold, or ask for fewer classes."
        )
    response: ProxyResponse = {
        "statusCode": int(status),
        "isBase64Encoded": isinstance(content, bytes),
        "body": body,
    }
    if request.multi_value_headers:
        response["multiValueHeaders"] = {name: [value] for name, value in fields.items()}
    else:
        response["headers"] = fields
    return response


def _client_has(request: Request, etag: str | None) -> bool:
    """Return whether the client already has this version (RFC 9110, section 13.1.2)."""
    known = request.headers.get("if-none-match", "").split(",")
    return etag is not None and etag in [each.strip() for each in known]


def error_response(request: Request, error: RequestError, *, cors_origin: str) -> ProxyResponse:
    """Build the response to a refused request."""
    answer = {"code": error.code, "message": error.message}
    if isinstance(error, InternalError):
        answer["request_id"] = request.request_id
    return json_response(
        request,
        {"error": answer},
        cors_origin=cors_origin,
        status=error.status,
        headers=error.headers,
    )


def failed_images(codes: Sequence[str | None]) -> dict[str, str]:
    """Return the `X-Failed-Images` header, or no header if every picture succeeded.

    Args:
        codes: Error code of each part in request order; None for parts that succeeded.

    Example:
        >>> failed_images([None, "not_an_image", None, "url_timeout"])
        {'X-Failed-Images': '1=not_an_image, 3=url_timeout'}
    """
    failed = [f"{position}={code}" for position, code in enumerate(codes) if code]
    return {"X-Failed-Images": ", ".join(failed)} if failed else {}


def not_classified(counts: Sequence[int]) -> dict[str, str]:
    """Return the `X-Not-Classified` header, or no header if every vehicle was classified.

    Args:
        counts: Vehicles of each part that the limits left out, in request order.

    Example:
        >>> not_classified([0, 12])
        {'X-Not-Classified': '1=12'}
    """
    left_out = [f"{position}={count}" for position, count in enumerate(counts) if count]
    return {"X-Not-Classified": ", ".join(left_out)} if left_out else {}
