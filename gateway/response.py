"""Answers -> the proxy response that API Gateway, function URLs and ALBs expect.

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

ALLOWED_HEADERS = "Content-Type, Accept, Authorization, X-Api-Key, X-Amz-Date, X-Amz-Security-Token"
ALLOWED_METHODS = "GET, HEAD, POST, OPTIONS"
MAX_RESPONSE_BYTES = 6_000_000
"""Lambda lets 6 MiB through; what is left is for the headers.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

EXPOSED_HEADERS = "X-Failed-Images, X-Request-Id"


def json_response(
    request: Request,
    answer: object,
    *,
    cors_origin: str,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> ProxyResponse:
    """An answer as JSON, with CORS fields, in the form of the request's front door.

    Args:
        request: What is answered.
        answer: Anything that JSON can hold; None for no body.
        cors_origin: Who may read it from a browser: an origin or ``*``.
        status: The HTTP status.
        headers: Further header fields.

    Raises:
        ValueError: The answer holds a number that JSON has no word for (NaN, infinity).
        TooLarge: The answer is larger than Lambda lets through.
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
    """A text or a binary file, with CORS fields, in the form of the request's front door.

    API Gateway's REST API sends a binary file as such only to clients whose first media type in
    Accept is among the definition's binary ones; to others it would send the base64 text.

    Args:
        request: What is answered; HEAD gets no body.
        content: Text is passed on as it is, bytes in base64.
        content_type: Of the content.
        cors_origin: Who may read it from a browser: an origin or ``*``.
        status: The HTTP status.
        headers: Further header fields. With an ``ETag`` that the client has, the answer is 304.

    Raises:
        TooLarge: The answer is larger than Lambda lets through.
    """
    fields = {
        "Content-Type": content_type,
        "Access-Control-Allow-Origin": cors_origin,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        "X-Request-Id": request.request_id,
        **(headers or {}),
    }
    if status == HTTPStatus.OK and _is_known(request, fields.get("ETag")):
        status = HTTPStatus.NOT_MODIFIED
    if request.method == "HEAD" or status == HTTPStatus.NOT_MODIFIED:
        content = ""
    body = content if isinstance(content, str) else b64encode(content).decode()
    # Lambda sends the body as a JSON string, in which these need a backslash.
    size = len(body) + body.count('"') + body.count("\\")
    if size > MAX_RESPONSE_BYTES:
        raise TooLarge(
            f"The answer has {size} bytes, the limit is {MAX_RESPONSE_BYTES}: "
            "send fewer pictures, or ask for a higher threshold or fewer classes."
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


def _is_known(request: Request, etag: str | None) -> bool:
    """Whether the client has this version (RFC 9110, section 13.1.2)."""
    known = request.headers.get("if-none-match", "").split(",")
    return etag is not None and etag in [each.strip() for each in known]


def error_response(request: Request, error: RequestError, *, cors_origin: str) -> ProxyResponse:
    """The answer to a request that is refused as a whole."""
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
    """The `X-Failed-Images` field, or no field where nothing failed.

    Args:
        codes: Per part, in order: the error's code, None where the part was answered.

    Example:
        >>> failed_images([None, "not_an_image", None, "url_timeout"])
        {'X-Failed-Images': '1=not_an_image, 3=url_timeout'}
    """
    failed = [f"{position}={code}" for position, code in enumerate(codes) if code]
    return {"X-Failed-Images": ", ".join(failed)} if failed else {}
