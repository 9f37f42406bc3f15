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
from gateway.response import error_response, failed_images, file_response, json_response

REQUEST = Request("POST", "/predict", {}, {}, None, None, "id-1")
CORS = {
    "Access-Control-Allow-Origin": "https://app.example",
    "Access-Control-Allow-Headers": (
        "Content-Type, Accept, Authorization, X-Api-Key, X-Amz-Date, X-Amz-Security-Token"
    ),
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Expose-Headers": "X-Failed-Images, X-Request-Id",
}


def test_an_answer() -> None:
    response = json_response(REQUEST, [[]], cors_origin="https://app.example")

    assert response == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", "X-Request-Id": "id-1", **CORS},
        "body": "[[]]",
        "isBase64Encoded": False,
    }


def test_an_answer_to_an_alb_with_multiple_values() -> None:
    response = json_response(replace(REQUEST, multi_value_headers=True), [], cors_origin="*")

    assert "headers" not in response
    assert response["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert response["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["*"]


def test_a_binary_file_goes_in_base64() -> None:
    response = file_response(REQUEST, b"\xff\xd8", content_type="image/jpeg", cors_origin="*")

    assert (response["body"], response["isBase64Encoded"]) == ("/9g=", True)
    assert response["headers"]["Content-Type"] == "image/jpeg"
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"


KNOWN = {
    "the same": ('W/"1"', 304),
    "among others": ('"0", W/"1"', 304),
    "another": ('W/"2"', 200),
    "none": ("", 200),
}


@pytest.mark.parametrize(("known", "status"), KNOWN.values(), ids=KNOWN)
def test_what_the_client_has_is_not_sent_again(known: str, status: int) -> None:
    request = replace(REQUEST, headers={"if-none-match": known})
    response = file_response(
        request, "text", content_type="text/css", cors_origin="*", headers={"ETag": 'W/"1"'}
    )

    assert response["statusCode"] == status
    assert response["body"] == ("" if status == 304 else "text")
    assert response["headers"]["ETag"] == 'W/"1"'


def test_head_is_answered_without_a_body() -> None:
    assert json_response(replace(REQUEST, method="HEAD"), {"a": 1}, cors_origin="*")["body"] == ""


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_response(REQUEST, [float("nan")], cors_origin="*")


def test_an_answer_that_lambda_would_not_let_through_is_refused() -> None:
    quotes = '"' * 1_500_000  # Each is written as two characters, and those two as four.

    with pytest.raises(errors.TooLarge, match="6000004 bytes, the limit is 6000000"):
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


@pytest.mark.parametrize(("name", "answer"), ERRORS.items(), ids=ERRORS)
def test_an_error(name: str, answer: tuple[int, str]) -> None:
    status, code = answer
    error: RequestError = getattr(errors, name)("Send another one.")
    response = error_response(REQUEST, error, cors_origin="https://app.example")

    assert response["statusCode"] == status
    assert response["headers"].items() >= CORS.items()
    assert json.loads(response["body"]) == {"error": {"code": code, "message": "Send another one."}}


def test_a_wrong_method_says_which_are_right() -> None:
    error = MethodNotAllowed("Call it with POST.", ("POST", "OPTIONS"))
    response = error_response(REQUEST, error, cors_origin="*")

    assert response["statusCode"] == 405
    assert response["headers"]["Allow"] == "POST, OPTIONS"


def test_a_picture_that_can_not_be_drawn_on_says_why() -> None:
    error = ImageFailed("No picture.", "url_timeout")
    response = error_response(REQUEST, error, cors_origin="*")

    assert response["statusCode"] == 422
    assert json.loads(response["body"])["error"]["code"] == "image_failed"
    assert response["headers"]["X-Failed-Images"] == "0=url_timeout"


def test_an_internal_error_says_where_to_look() -> None:
    response = error_response(REQUEST, InternalError("Sorry."), cors_origin="*")

    assert response["statusCode"] == 500
    assert json.loads(response["body"]) == {
        "error": {"code": "internal_error", "message": "Sorry.", "request_id": "id-1"}
    }


def test_every_error_of_the_tree_has_a_code_of_its_own() -> None:
    classes = [*RequestError.__subclasses__(), *PartError.__subclasses__()]
    codes = [each.code for each in classes]

    assert len(codes) == 18
    # A part and a whole request may fail by our fault: the same code.
    assert len(set(codes)) == 17


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
