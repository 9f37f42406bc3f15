from __future__ import annotations

import base64
import re
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.errors import GatewayError, MalformedBody, TooLarge
from gateway.event import Request, decode_body, parse_event
from tests.support.events import load_event

FRONT_DOORS = {
    "REST API": ("rest_predict", "/predict", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
    "HTTP API": ("http_api_object_detection", "/Prod/object_detection", "JKJaXmPLvHcESHA="),
    "function URL": ("function_url_shape", "/shape", "e1506fd5-9e7b-434f-bd42-4f8fa224b599"),
    "ALB, single values": ("alb_nbytes", "/nbytes", "from-lambda"),
    "ALB, multiple values": ("alb_multi_value", "/predict/", "from-lambda"),
}


@pytest.mark.parametrize(("name", "path", "request_id"), FRONT_DOORS.values(), ids=FRONT_DOORS)
def test_every_front_door_is_understood(name: str, path: str, request_id: str) -> None:
    request = parse_event(load_event(name), SimpleNamespace(aws_request_id="from-lambda"))

    assert request.method == "POST"
    assert request.path == path
    assert request.request_id == request_id
    assert request.headers["content-type"].startswith(("multipart/form-data", "image/png"))
    assert request.query == {"threshold": "0.5", "details": "true"}
    assert len(decode_body(request, 10_000)) > 60


def test_only_an_alb_with_multiple_values_is_answered_with_them() -> None:
    answered = {name: parse_event(load_event(name), None).multi_value_headers for name in (
        "rest_predict", "http_api_object_detection", "alb_nbytes", "alb_multi_value",
    )}  # fmt: skip

    assert answered == {
        "rest_predict": False,
        "http_api_object_detection": False,
        "alb_nbytes": False,
        "alb_multi_value": True,
    }


ROOTS = {
    "REST": ({"resource": "/", "path": "/"}, "/"),
    "REST, custom domain": ({"resource": "/", "path": "/vision"}, "/vision/"),
    "REST, another path": ({"resource": "/{proxy+}", "path": "/vision"}, "/vision"),
    "HTTP API, stage": (
        {"rawPath": "/Prod", "requestContext": {"stage": "Prod", "http": {}}},
        "/Prod/",
    ),
    "HTTP API, default stage": (
        {"rawPath": "/", "requestContext": {"stage": "$default", "http": {}}},
        "/",
    ),
}


@pytest.mark.parametrize(("event", "path"), ROOTS.values(), ids=ROOTS)
def test_the_root_is_told_by_a_slash(event: dict[str, Any], path: str) -> None:
    assert parse_event(event, None).path == path


QUERIES = {
    "REST decodes already": (
        {"queryStringParameters": {"a": "50%25"}, "requestContext": {}},
        {"a": "50%25"},
    ),
    "an ALB does not": (
        {"queryStringParameters": {"a": "50%25"}, "requestContext": {"elb": {}}},
        {"a": "50%"},
    ),
    "payload 2.0 has it raw": (
        {"rawQueryString": "a=1&a=2&b=x%20y&c="},
        {"a": "2", "b": "x y", "c": ""},
    ),
    "the last of several values": (
        {"queryStringParameters": {"a": "1"}, "multiValueQueryStringParameters": {"a": ["1", "3"]}},
        {"a": "3"},
    ),
    "null": ({"queryStringParameters": None}, {}),
    "a null value": ({"queryStringParameters": {"a": None}}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("event", "query"), QUERIES.values(), ids=QUERIES)
def test_query(event: dict[str, Any], query: dict[str, str]) -> None:
    assert parse_event(event, None).query == query


NOT_EVENTS = {
    "null": None,
    "a list": [1, 2],
    "text": "hello",
    "empty": {},
    "nulls": {"headers": None, "path": None, "httpMethod": None, "body": None},
    "wrong types": {
        "headers": [1],
        "multiValueHeaders": {"a": "b", "c": []},
        "path": 5,
        "httpMethod": {},
        "body": {"a": 1},
        "isBase64Encoded": "yes",
        "requestContext": "x",
        "rawQueryString": 7,
    },
    "huge numbers": {"headers": {"x": 10**5000}, "queryStringParameters": {"x": 10**5000}},
    "wrong types inside": {
        "requestContext": {"http": {"method": 3, "path": []}, "requestId": 9},
        "headers": {1: 2},
    },
}


@pytest.mark.parametrize("event", NOT_EVENTS.values(), ids=NOT_EVENTS)
def test_no_event_raises(event: object) -> None:
    request = parse_event(event, None)

    assert (request.method, request.path, request.body) == ("", "", None)


def test_header_names_are_read_in_any_case() -> None:
    event = {"headers": {"CONTENT-type": "image/png", "X-Other": "1"}}

    assert parse_event(event, None).headers == {"content-type": "image/png", "x-other": "1"}


REQUEST_IDS: dict[str, tuple[object, object]] = {
    "missing": (None, None),
    "not text": (7, 7),
    "a forged header": ("a\r\nSet-Cookie: x=1", "b\n"),
    "a lone surrogate": ("\ud800", "\ud800"),
    "too long": ("a" * 129, ""),
}


@pytest.mark.parametrize(("sent", "invocation"), REQUEST_IDS.values(), ids=REQUEST_IDS)
def test_a_request_id_can_always_stand_in_a_header(sent: object, invocation: object) -> None:
    event = {"requestContext": {"requestId": sent}}
    made = parse_event(event, SimpleNamespace(aws_request_id=invocation)).request_id

    assert re.fullmatch(r"[0-9a-f-]{36}", made)
    assert parse_event(event, SimpleNamespace(aws_request_id="from-lambda")).request_id == (
        "from-lambda"
    )


def request_with(body: str | bytes | None, is_base64: bool | None) -> Request:
    return Request("POST", "/shape", {}, {}, body, is_base64, "")


FORM = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\n"
BODIES = {
    "base64, said so": (base64.b64encode(FORM).decode(), True, FORM),
    "text, said so": (FORM.decode(), False, FORM),
    "text that looks like base64 but is not": ("QUJD", False, b"QUJD"),
    "unsaid: text that starts with a boundary": (FORM.decode(), None, FORM),
    "unsaid: other text is base64": (base64.b64encode(FORM).decode(), None, FORM),
    "unsaid: bytes are the body": (FORM, None, FORM),
    "unsaid: bytes of a picture": (b"\x89PNG\r\n", None, b"\x89PNG\r\n"),
    "unsaid: bytes of base64, as the published test has it": (
        base64.b64encode(FORM),
        None,
        FORM,
    ),
    "bytes of base64, said so": (base64.b64encode(FORM), True, FORM),
    "not ASCII, said to be text": ("é", False, "é".encode()),
    "base64 in lines, as the base64 command writes it": ("QUJD\r\nREVG\n", True, b"ABCDEF"),
}


@pytest.mark.parametrize(("body", "is_base64", "expected"), BODIES.values(), ids=BODIES)
def test_body(body: str | bytes, is_base64: bool | None, expected: bytes) -> None:
    assert decode_body(request_with(body, is_base64), 10_000) == expected


REFUSED_BODIES = {
    "none": (None, True, MalformedBody, "no body"),
    "empty": ("", True, MalformedBody, "no body"),
    "not base64": ("!!!", True, MalformedBody, "not valid base64"),
    "base64 cut off": ("QUJDR", True, MalformedBody, "not valid base64"),
    "not ASCII": ("é" * 8, True, MalformedBody, "not valid base64"),
    "a lone surrogate": ("\ud800", False, MalformedBody, "characters that it can't have"),
    "text whose bytes are over the limit": ("é" * 38, False, TooLarge, "104 bytes in base64"),
    "base64 over the limit": ("A" * 104, True, TooLarge, "104 bytes in base64, the limit is 100"),
    "text over the limit": ("A" * 76, False, TooLarge, "104 bytes in base64, the limit is 100"),
}


@pytest.mark.parametrize(
    ("body", "is_base64", "error", "message"), REFUSED_BODIES.values(), ids=REFUSED_BODIES
)
def test_refused_body(
    body: str | None, is_base64: bool, error: type[GatewayError], message: str
) -> None:
    with pytest.raises(error, match=message):
        decode_body(request_with(body, is_base64), 100)
