from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway import errors
from gateway.errors import (
    ImageFailed,
    InternalError,
    MethodNotAllowed,
    PartError,
    RequestError,
)
from gateway.event import Request
from gateway.response import (
    error_response,
    failed_images,
    file_response,
    json_response,
    not_classified,
)

REQUEST = Request("POST", "/predict", {}, {}, None, None, "id-1")
CORS = {
    "Access-Control-Allow-Origin": "https://app.example",
    "Access-Control-Allow-Headers": "*, Authorization",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Expose-Headers": (
        "X-Failed-Images, X-Ignored-Parts, X-Not-Classified, X-Request-Id"
    ),
}


def test_json_response() -> None:
    response = json_response(REQUEST, [[]], cors_origin="https://app.example")

    assert response == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "X-Request-Id": "id-1", **CORS},
        "body": "[[]]",
        "isBase64Encoded": False,
    }


def test_multi_value_headers() -> None:
    response = json_response(replace(REQUEST, multi_value_headers=True), [], cors_origin="*")

    assert "headers" not in response
    assert response["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert response["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["*"]


def test_binary_content_is_base64() -> None:
    response = file_response(REQUEST, b"\xff\xd8", content_type="image/jpeg", cors_origin="*")

    assert (response["body"], response["isBase64Encoded"]) == ("/9g=", True)
    assert response["headers"]["Content-Type"] == "image/jpeg"
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"


ETAGS = {
    "the same": ('W/"1"', 304),
    "one of several": ('"0", W/"1"', 304),
    "another": ('W/"2"', 200),
    "none": ("", 200),
}


@pytest.mark.parametrize(("etags", "status"), ETAGS.values(), ids=ETAGS)
def test_etag(etags: str, status: int) -> None:
    request = replace(REQUEST, headers={"if-none-match": etags})
    response = file_response(
        request, "text", content_type="text/css", cors_origin="*", headers={"ETag": 'W/"1"'}
    )

    assert response["statusCode"] == status
    assert response["body"] == ("" if status == 304 else "text")
    assert response["headers"]["ETag"] == 'W/"1"'


def test_a_preflight_response_may_be_cached() -> None:
    response = json_response(replace(REQUEST, method="OPTIONS"), None, cors_origin="*")

    assert response["headers"]["Access-Control-Max-Age"] == "7200"


def test_head_has_no_body() -> None:
    assert json_response(replace(REQUEST, method="HEAD"), {"a": 1}, cors_origin="*")["body"] == ""


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_response(REQUEST, [float("nan")], cors_origin="*")


@pytest.mark.promise("size-limits")
def test_the_response_limit_counts_escaped_characters() -> None:
    quotes = '"' * 1_500_000  # JSON escapes each as two characters, Lambda those as four.

    with pytest.raises(errors.TooLarge):
        json_response(REQUEST, quotes, cors_origin="*")
    assert json_response(REQUEST, quotes[1:], cors_origin="*")["statusCode"] == 200


ERRORS = {
    "MalformedBody": (400, "malformed_body"),
    "NoImage": (400, "no_image"),
    "BadOption": (400, "bad_option"),
    "UnknownRoute": (404, "unknown_route"),
    "TooLarge": (413, "too_large"),
    "UnsupportedMediaType": (415, "unsupported_media_type"),
    "SeveralImages": (400, "several_images"),
    "ServiceUnavailable": (503, "model_unavailable"),
}


@pytest.mark.parametrize(("name", "expected"), ERRORS.items(), ids=ERRORS)
def test_error_response(name: str, expected: tuple[int, str]) -> None:
    status, code = expected
    error: RequestError = getattr(errors, name)("Send another one.")
    response = error_response(REQUEST, error, cors_origin="https://app.example")

    assert response["statusCode"] == status
    assert response["headers"].items() >= CORS.items()
    assert json.loads(response["body"]) == {"error": {"code": code, "message": "Send another one."}}


def test_405_has_an_allow_header() -> None:
    error = MethodNotAllowed("Call it with POST.", ("POST", "OPTIONS"))
    response = error_response(REQUEST, error, cors_origin="*")

    assert response["statusCode"] == 405
    assert response["headers"]["Allow"] == "POST, OPTIONS"


def test_image_failed_has_the_code_of_the_picture() -> None:
    error = ImageFailed("No picture.", "url_timeout")
    response = error_response(REQUEST, error, cors_origin="*")

    assert response["statusCode"] == 422
    assert json.loads(response["body"])["error"]["code"] == "image_failed"
    assert response["headers"]["X-Failed-Images"] == "0=url_timeout"


def test_an_internal_error_has_the_request_id() -> None:
    response = error_response(REQUEST, InternalError("Sorry."), cors_origin="*")

    assert response["statusCode"] == 500
    assert json.loads(response["body"]) == {
        "error": {"code": "internal_error", "message": "Sorry.", "request_id": "id-1"}
    }


def test_every_error_has_its_own_code() -> None:
    classes = [*RequestError.__subclasses__(), *PartError.__subclasses__()]
    codes = [each.code for each in classes]

    # InternalError and PartFailed share a code.
    assert len(set(codes)) == len(codes) - 1


FAILED = {
    "none": ([None, None], {}),
    "one": ([None, "not_an_image"], {"X-Failed-Images": "1=not_an_image"}),
    "two": (
        [None, "not_an_image", None, None, "url_timeout"],
        {"X-Failed-Images": "1=not_an_image, 4=url_timeout"},
    ),
}


@pytest.mark.parametrize(("codes", "headers"), FAILED.values(), ids=FAILED)
def test_failed_images(codes: list[str | None], headers: dict[str, str]) -> None:
    assert failed_images(codes) == headers


LEFT_OUT: dict[str, tuple[list[int], dict[str, str]]] = {
    "none": ([0, 0], {}),
    "one": ([0, 12], {"X-Not-Classified": "1=12"}),
    "two": ([3, 0, 1], {"X-Not-Classified": "0=3, 2=1"}),
}


@pytest.mark.parametrize(("counts", "headers"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_not_classified(counts: list[int], headers: dict[str, str]) -> None:
    assert not_classified(counts) == headers
