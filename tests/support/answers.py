"""Checks that hold for every response of the handler."""

from __future__ import annotations

import json
import re
from typing import Any

STATUSES = frozenset({200, 304, 400, 404, 405, 413, 415, 422, 500, 503})
CORS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
)
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
HEADER_VALUE = re.compile(r"[\x20-\x7e]+")
"""Printable ASCII. A line break would start another header field."""


def fields_of(response: dict[str, Any]) -> dict[str, str]:
    """Return the header fields of a response, whether they have one value each or a list."""
    if "headers" in response:
        fields: dict[str, str] = response["headers"]
        return fields
    return {name: value for name, [value] in response["multiValueHeaders"].items()}


def check_well_formed(response: Any) -> None:
    """Fail unless Lambda, API Gateway, function URLs and ALBs can pass the response on."""
    assert json.loads(json.dumps(response, ensure_ascii=False).encode()) == response
    assert set(response) in (
        {"statusCode", "isBase64Encoded", "body", "headers"},
        {"statusCode", "isBase64Encoded", "body", "multiValueHeaders"},
    )
    assert type(response["statusCode"]) is int
    assert response["statusCode"] in STATUSES
    fields = fields_of(response)
    media_type = fields["Content-Type"]
    assert response["isBase64Encoded"] is media_type.startswith("image/")
    for name, value in fields.items():
        assert HEADER_NAME.fullmatch(name), name
        assert HEADER_VALUE.fullmatch(value), (name, value)
    assert set(CORS) <= set(fields)
    if response["body"] != "" and media_type == "application/json":
        answer = json.loads(response["body"])
        is_usual = isinstance(answer, list) or "images" in answer
        if response["statusCode"] != 200 and not (response["statusCode"] == 422 and is_usual):
            assert set(answer) == {"error"}
            assert {"code", "message"} <= set(answer["error"]) <= {"code", "message", "request_id"}
