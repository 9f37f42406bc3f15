from __future__ import annotations

import base64
import gzip
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.errors import GatewayError, MalformedBody, TooLarge, UnsupportedMediaType
from gateway.event import Request, decode_body, parse_event
from tests.support.events import load_event

EVENT_SOURCES = {
    "REST API": ("rest_predict", "/predict", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
    "HTTP API": ("http_api_object_detection", "/Prod/object_detection", "JKJaXmPLvHcESHA="),
    "function URL": ("function_url_shape", "/shape", "e1506fd5-9e7b-434f-bd42-4f8fa224b599"),
    "ALB, single values": ("alb_nbytes", "/nbytes", "from-lambda"),
    "ALB, multiple values": ("alb_multi_value", "/predict/", "from-lambda"),
}


@pytest.mark.parametrize(("name", "path", "request_id"), EVENT_SOURCES.values(), ids=EVENT_SOURCES)
def test_event_source(name: str, path: str, request_id: str) -> None:
    request = parse_event(load_event(name), SimpleNamespace(aws_request_id="from-lambda"))

    assert request.method == "POST"
    assert request.path == path
    assert request.request_id == request_id
    assert request.headers["content-type"].startswith(("multipart/form-data", "image/png"))
    assert request.query == {"threshold": "0.5", "details": "true"}
    assert len(decode_body(request, 10_000)) > 60


def test_only_alb_multi_value_events_use_multi_value_headers() -> None:
    is_multi_value = {name: parse_event(load_event(name), None).multi_value_headers for name in (
        "rest_predict", "http_api_object_detection", "alb_nbytes", "alb_multi_value",
    )}  # fmt: skip

    assert is_multi_value == {
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
def test_the_path_of_the_root_ends_with_a_slash(event: dict[str, Any], path: str) -> None:
    assert parse_event(event, None).path == path


QUERIES = {
    "REST, decoded by the gateway": (
        {"queryStringParameters": {"a": "50%25"}, "requestContext": {}},
        {"a": "50%25"},
    ),
    "ALB, not decoded": (
        {"queryStringParameters": {"a": "50%25"}, "requestContext": {"elb": {}}},
        {"a": "50%"},
    ),
    "payload 2.0, raw": (
        {"rawQueryString": "a=1&a=2&b=x%20y&c="},
        {"a": "2", "b": "x y", "c": ""},
    ),
    "several values": (
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
def test_unexpected_events_are_accepted(event: object) -> None:
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
def test_unsafe_request_ids_are_replaced(sent: object, invocation: object) -> None:
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
    "base64, declared": (base64.b64encode(FORM).decode(), True, FORM),
    "text, declared": (FORM.decode(), False, FORM),
    "text that looks like base64": ("QUJD", False, b"QUJD"),
    "undeclared: text that starts with a boundary": (FORM.decode(), None, FORM),
    "undeclared: other text": (base64.b64encode(FORM).decode(), None, FORM),
    "undeclared: bytes": (FORM, None, FORM),
    "undeclared: bytes of a picture": (b"\x89PNG\r\n", None, b"\x89PNG\r\n"),
    "undeclared: bytes of base64, as in the published test": (
        base64.b64encode(FORM),
        None,
        FORM,
    ),
    "bytes of base64, declared": (base64.b64encode(FORM), True, FORM),
    "not ASCII, declared as text": ("é", False, "é".encode()),
    "text is not counted in base64": ("A" * 10_000, False, b"A" * 10_000),
    "base64 wrapped by the base64 command": ("QUJD\r\nREVG\n", True, b"ABCDEF"),
}


@pytest.mark.parametrize(("body", "is_base64", "expected"), BODIES.values(), ids=BODIES)
def test_body(body: str | bytes, is_base64: bool | None, expected: bytes) -> None:
    assert decode_body(request_with(body, is_base64), 10_000) == expected


REFUSED_BODIES = {
    "none": (None, True, MalformedBody),
    "empty": ("", True, MalformedBody),
    "not base64": ("!!!", True, MalformedBody),
    "truncated base64": ("QUJDR", True, MalformedBody),
    "not ASCII": ("é" * 8, True, MalformedBody),
    "a lone surrogate": ("\ud800", False, MalformedBody),
    "text with two-byte characters over the limit": ("é" * 51, False, TooLarge),
    "bytes over the limit": (b"A" * 76, False, TooLarge),
    "base64 over the limit": ("A" * 104, True, TooLarge),
    "text over the limit": ("A" * 101, False, TooLarge),
}


@pytest.mark.parametrize(
    ("body", "is_base64", "error"), REFUSED_BODIES.values(), ids=REFUSED_BODIES
)
def test_refused_body(body: str | bytes | None, is_base64: bool, error: type[GatewayError]) -> None:
    with pytest.raises(error):
        decode_body(request_with(body, is_base64), 100)


CODINGS = {
    "gzip": ("gzip", gzip.compress(FORM), None),
    "brotli": ("br", FORM, UnsupportedMediaType),
    "truncated": ("gzip", gzip.compress(FORM)[:-9], MalformedBody),
    "over the limit": ("gzip", gzip.compress(bytes(7501)), TooLarge),
}


@pytest.mark.parametrize(("coding", "content", "error"), CODINGS.values(), ids=CODINGS)
def test_content_encoding(coding: str, content: bytes, error: type[GatewayError] | None) -> None:
    request = replace(request_with(content, False), headers={"content-encoding": coding})
    if error is None:
        assert decode_body(request, 10_000) == FORM
        return
    with pytest.raises(error):
        decode_body(request, 10_000)


def test_an_unsupported_coding_is_named() -> None:
    request = replace(request_with(FORM, False), headers={"content-encoding": "br"})
    with pytest.raises(UnsupportedMediaType, match="'br'") as caught:
        decode_body(request, 10_000)

    assert caught.value.status == 415
    assert caught.value.headers == {"Accept-Encoding": "gzip, deflate"}
