"""Events in, proxy responses out: every row of the HTTP contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from gateway import errors
from gateway.errors import PartError, RequestError
from inference.decoding.source import ImageSource
from inference.errors import ModelUnavailable, PictureError
from inference.pipeline import Pipeline
from service import VERSION
from service.settings import Settings
from tests.support.events import EVENTS, Field, form_event, load_event, rest_event, upload
from tests.support.handlers import Handler, make_handler
from tests.support.models import fake_classifier, fake_pipeline
from tests.support.network import FakeNetwork, http_answer
from tests.support.pictures import plain

CAR = {
    "x1": 0,
    "y1": 0,
    "x2": 4,
    "y2": 6,
    "class_name": "car",
    "confidence": 0.9,
    "label": "car: 0.9",
}
PERSON = {
    **CAR,
    "x1": 4,
    "x2": 8,
    "class_name": "person",
    "confidence": 0.8,
    "label": "person: 0.8",
}
CLIO = {**CAR, "label": "clio: 0.75", "pred": ["clio", "208"], "prob": [0.75, 0.25]}
"""Answer of the fake models to the 8x6 picture of the events."""


def body(response: dict[str, Any]) -> Any:
    return json.loads(response["body"])


ANSWERS: dict[str, tuple[str, Any]] = {
    "REST API": ("rest_predict", [CLIO]),
    "HTTP API": ("http_api_object_detection", [CAR, PERSON]),
    "function URL": ("function_url_shape", [6, 8, 3]),
    "ALB": ("alb_nbytes", 144),
    "ALB, multiple values": ("alb_multi_value", [CLIO]),
}


@pytest.mark.parametrize(("name", "predictions"), ANSWERS.values(), ids=ANSWERS)
def test_every_front_door_is_answered(name: str, predictions: Any, handler: Handler) -> None:
    response = handler(load_event(name), None)

    assert response["statusCode"] == 200
    assert [image["predictions"] for image in body(response)["images"]] == [predictions]
    assert response["isBase64Encoded"] is False
    headers = response.get("headers") or {
        key: value[0] for key, value in response["multiValueHeaders"].items()
    }
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_the_published_event(handler: Handler) -> None:
    event = load_event("published_predict")
    as_published = {**event, "body": event["body"].encode()}

    assert body(handler(event, None)) == [[CLIO]]
    assert body(handler(as_published, None)) == [[CLIO]]


def test_a_default_answer_is_the_bare_array(handler: Handler) -> None:
    event = form_event("/object_detection", upload(plain()), upload(plain(4, 4)))

    assert body(handler(event, None)) == [
        [CAR, PERSON],
        [{**CAR, "x2": 2, "y2": 4}, {**PERSON, "x1": 2, "x2": 4, "y2": 4}],
    ]
    assert "X-Failed-Images" not in handler(event, None)["headers"]


ERRORS = {
    "no body": ("error_no_body", 400, "malformed_body"),
    "bad base64": ("error_bad_base64", 400, "malformed_body"),
    "truncated form": ("error_truncated_form", 400, "malformed_body"),
    "missing boundary": ("error_missing_boundary", 400, "malformed_body"),
    "no image": ("error_no_image", 400, "no_image"),
    "threshold": ("error_bad_threshold", 400, "bad_option"),
    "top": ("error_bad_top", 400, "bad_option"),
    "details": ("error_bad_details", 400, "bad_option"),
    "several to draw": ("error_several_images", 400, "several_images"),
    "nothing to draw on": ("error_image_failed", 422, "image_failed"),
    "unknown route": ("error_unknown_route", 404, "unknown_route"),
    "wrong method": ("error_wrong_method", 405, "method_not_allowed"),
    "pictures": ("error_too_many_pictures", 413, "too_large"),
    "urls": ("error_too_many_urls", 413, "too_large"),
    "text": ("error_text_body", 415, "unsupported_media_type"),
}


@pytest.mark.parametrize(("name", "status", "code"), ERRORS.values(), ids=ERRORS)
def test_error(name: str, status: int, code: str, handler: Handler) -> None:
    response = handler(load_event(name), None)

    assert response["statusCode"] == status
    assert body(response)["error"]["code"] == code
    assert body(response)["error"]["message"]
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"
    assert response["headers"]["X-Request-Id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@pytest.mark.promise("size-limits")
def test_a_body_over_the_limit(settings: Settings) -> None:
    small = make_handler(replace(settings, max_request_bytes=100), load=lambda _: fake_pipeline())
    response = small(load_event("rest_predict"), None)

    assert response["statusCode"] == 413
    assert body(response)["error"]["code"] == "too_large"


def test_a_failed_model_is_loaded_by_the_next_request(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = []

    def load(_settings: Settings) -> Pipeline:
        attempts.append(1)
        if len(attempts) < 3:
            raise ModelUnavailable("/secret/path is missing")
        return fake_pipeline()

    handler = make_handler(settings, load=load)
    first = handler(load_event("rest_predict"), None)
    second = handler(load_event("rest_predict"), None)

    assert first["statusCode"] == 503
    assert body(first) == {
        "error": {"code": "model_unavailable", "message": "A model could not be loaded."}
    }
    assert first["headers"]["Access-Control-Allow-Origin"] == "*"
    assert "/secret/path is missing" in caplog.text
    assert second["statusCode"] == 200


def test_routes_that_need_no_model_work_without_one(settings: Settings) -> None:
    def load(_settings: Settings) -> Pipeline:
        raise ModelUnavailable("gone")

    handler = make_handler(settings, load=load)
    event = form_event("/shape", upload(plain()), query={"details": "true"})

    assert body(handler(event, None))["images"][0]["predictions"] == [6, 8, 3]
    assert handler(load_event("rest_health"), None)["statusCode"] == 503
    assert handler(load_event("rest_options"), None)["statusCode"] == 200


def test_an_internal_error_is_logged_and_answered(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Pipeline):
        def predict_objects(self, source: ImageSource, threshold: float) -> Any:
            raise RuntimeError("secret detail")

    whole = fake_pipeline()
    broken = Broken(whole.detector, whole.classifiers, 0.005, 0.9)
    response = make_handler(settings, load=lambda _: broken)(load_event("rest_predict"), None)

    assert response["statusCode"] == 500
    assert body(response) == {
        "error": {
            "code": "internal_error",
            "message": "Something went wrong on our side.",
            "request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        }
    }
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"
    assert "secret detail" in caplog.text
    assert "request c6af9ac6-7b61-11e6-9a41-93e8deadbeef" in caplog.text


def test_a_broken_picture_does_not_affect_the_others(settings: Settings) -> None:
    handler = make_handler(settings, FakeNetwork().fetcher(), load=lambda _: fake_pipeline())
    response = handler(load_event("parts_good_and_bad"), None)

    assert response["statusCode"] == 200
    assert response["headers"]["X-Failed-Images"] == (
        "1=not_an_image, 2=unsupported_format, 3=url_not_allowed, 4=url_unreachable"
    )
    images = body(response)["images"]
    assert [image["predictions"] for image in images] == [[6, 8, 3], [], [], [], [], [6, 8, 3]]
    assert [image["filename"] for image in images] == [
        "good.png",
        "broken.jpg",
        "photo.heic",
        "file:///etc/passwd",
        "http://nobody.invalid/photo.jpg",
        "also good.png",
    ]
    assert images[2]["error"]["code"] == "unsupported_format"


KEY = "a-secret-of-the-tests-0123"
WITH_KEY = {
    "post without a key": ("/shape", "POST", None, 403),
    "post with another key": ("/shape", "POST", "?", 403),
    "post with the key": ("/shape", "POST", KEY, 200),
    "post to an unknown route": ("/nowhere", "POST", None, 403),
    "preflight": ("/shape", "OPTIONS", None, 200),
    "page": ("/", "GET", None, 200),
    "health": ("/health", "GET", None, 200),
}


@pytest.mark.parametrize(("path", "method", "key", "status"), WITH_KEY.values(), ids=WITH_KEY)
def test_a_key_is_required_for_post_alone(
    settings: Settings, path: str, method: str, key: str | None, status: int
) -> None:
    handler = make_handler(replace(settings, api_key_secret=KEY), load=lambda _: fake_pipeline())
    event = form_event(path, upload(plain()))
    event["httpMethod"] = method
    event["headers"] |= {"X-Api-Key": key} if key else {}
    response = handler(event, None)
    assert response["statusCode"] == status
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"
    if status == 403:
        assert json.loads(response["body"])["error"]["code"] == "invalid_api_key"


def test_every_picture_code_of_the_contract_exists() -> None:
    of_parts = {each.code for each in PartError.__subclasses__()}
    of_pictures = {each.code for each in PictureError.__subclasses__()}

    assert of_parts | of_pictures == {
        "not_an_image", "unsupported_format", "image_too_large", "url_not_allowed",
        "url_unreachable", "url_timeout", "url_too_large", "url_not_an_image", "deadline_exceeded",
        "internal_error",
    }  # fmt: skip


def test_every_error_of_the_contract_has_an_event() -> None:
    asserted = {code for _, _, code in ERRORS.values()}

    assert {each.code for each in RequestError.__subclasses__()} - asserted == {
        errors.InternalError.code,
        errors.ServiceUnavailable.code,
        errors.InvalidApiKey.code,  # Depends on a setting.
        errors.AllFailed.code,
    }
    assert {name for name, *_ in ERRORS.values()} == {
        path.stem for path in EVENTS.glob("error_*.json")
    }


STRICT = {
    "all failed": ([upload(b"x"), upload(b"y")], {"strict": "true"}, 422, [[], []]),
    "as a form field": ([upload(b"x"), ("strict", "true")], {}, 422, [[]]),
    "one answered": ([upload(b"x"), upload(plain())], {"strict": "true"}, 200, [[], [6, 8, 3]]),
    "the query wins": ([upload(b"x"), ("strict", "true")], {"strict": "false"}, 200, [[]]),
}


@pytest.mark.parametrize(("fields", "query", "status", "answer"), STRICT.values(), ids=STRICT)
def test_strict(
    fields: list[Field], query: dict[str, str], status: int, answer: Any, handler: Handler
) -> None:
    response = handler(form_event("/shape", *fields, query=query), None)

    assert response["statusCode"] == status
    assert body(response) == answer
    assert response["headers"]["X-Failed-Images"].startswith("0=not_an_image")


def test_unused_fields_are_listed(handler: Handler) -> None:
    event = form_event("/shape", upload(plain()), ("photo", "x"), ("details", "true"))
    response = handler(event, None)

    assert response["headers"]["X-Ignored-Parts"] == "photo"
    assert body(response)["images"][0]["width"] == 8


def test_a_url_that_answers_a_web_page_is_explained(settings: Settings) -> None:
    network = FakeNetwork({"a.example/b.jpg": http_answer(b"<!doctype html><html>")})
    handler = make_handler(settings, network.fetcher(), load=lambda _: fake_pipeline())
    event = form_event("/shape", ("url", "http://a.example/b.jpg"), query={"details": "true"})
    error = body(handler(event, None))["images"][0]["error"]

    assert error["code"] == "url_not_an_image"
    assert "a web page, not a picture" in error["message"]


def test_text_damage_is_explained(handler: Handler) -> None:
    damaged = plain().decode("utf-8", "replace").encode()
    event = rest_event("/shape", "image/odd", damaged, query={"details": "true"})
    error = body(handler(event, None))["images"][0]["error"]

    assert error["code"] == "not_an_image"
    assert "'image/odd'" in error["message"]


def test_a_file_and_a_url_of_the_same_picture_have_the_same_answer(settings: Settings) -> None:
    network = FakeNetwork({"a.example/photo.png": http_answer(plain())})
    handler = make_handler(settings, network.fetcher(), load=lambda _: fake_pipeline())
    event = form_event("/predict", upload(plain()), ("url", "http://a.example/photo.png"))

    assert body(handler(event, None)) == [[CLIO], [CLIO]]


SWITCHES = {
    "no urls": {"URL_FETCH": "off"},
    "other hosts": {"URL_ALLOWED_HOSTS": "b.example"},
}


@pytest.mark.promise("url-settings")
@pytest.mark.parametrize("variables", SWITCHES.values(), ids=SWITCHES)
def test_urls_that_the_settings_forbid(variables: dict[str, str]) -> None:
    handler = make_handler(Settings.from_environment(variables), load=lambda _: fake_pipeline())
    fields = ("url", "http://a.example/photo.png"), upload(plain())
    images = body(handler(form_event("/shape", *fields, query={"details": "true"}), None))["images"]

    assert images[0]["error"]["code"] == "url_not_allowed"
    assert images[1]["predictions"] == [6, 8, 3]


def test_options(handler: Handler) -> None:
    event = form_event("/object_detection", upload(plain()), query={"threshold": "0.85"})
    assert body(handler(event, None)) == [[CAR]]

    event = form_event("/predict", upload(plain()), query={"top": "1"})
    assert body(handler(event, None)) == [[{**CLIO, "pred": ["clio"], "prob": [0.75]}]]


def test_the_threshold_of_the_client_replaces_the_configured_one(
    settings: Settings,
) -> None:
    strict = make_handler(
        replace(settings, detection_threshold=1.0), load=lambda _: fake_pipeline()
    )

    assert body(strict(form_event("/object_detection", upload(plain())), None)) == [[]]
    event = form_event("/object_detection", upload(plain()), query={"threshold": "0"})
    assert body(strict(event, None)) == [[CAR, PERSON]]


def test_the_threshold_of_the_client_has_a_lower_bound(settings: Settings) -> None:
    bounded = make_handler(
        replace(settings, detection_threshold=0.85, min_threshold=0.85),
        load=lambda _: fake_pipeline(),
    )
    event = form_event("/object_detection", upload(plain()), query={"threshold": "0"})

    assert body(bounded(event, None)) == [[CAR]]


def test_vehicles_over_the_limit_are_counted(settings: Settings) -> None:
    # One worker, because the pictures of a request share the limit in the order of their work.
    limited = replace(settings, max_classified_per_request=1, memory_mb=1769)
    handler = make_handler(limited, load=lambda _: fake_pipeline())
    pictures = upload(plain()), upload(plain())
    bare = handler(form_event("/predict", *pictures), None)
    detailed = handler(form_event("/predict", *pictures, query={"details": "true"}), None)

    left_out = {**CAR, "label": "car: 0.9", "pred": ["car"], "prob": [0.9]}
    assert body(bare) == [[CLIO], [left_out]]
    assert bare["headers"]["X-Not-Classified"] == "1=1"
    assert detailed["headers"]["X-Not-Classified"] == "1=1"
    assert [image.get("not_classified") for image in body(detailed)["images"]] == [None, 1]


def test_an_answer_within_the_limits_says_nothing_about_them(handler: Handler) -> None:
    response = handler(form_event("/predict", upload(plain()), query={"details": "true"}), None)

    assert "X-Not-Classified" not in response["headers"]
    assert "not_classified" not in body(response)["images"][0]


MODELS_USED = {
    "/shape": (None, []),
    "/object_detection": ("fake_detector", []),
    "/predict": ("fake_detector", ["fake_classifier"]),
}


@pytest.mark.parametrize(("path", "used"), MODELS_USED.items(), ids=MODELS_USED)
def test_details_name_the_models_of_the_route(
    path: str, used: tuple[str | None, list[str]], handler: Handler
) -> None:
    answer = body(handler(form_event(path, upload(plain()), query={"details": "true"}), None))
    detection = answer["model"]["detection"]

    assert (detection and detection["name"]) == used[0]
    assert [each["name"] for each in answer["model"]["classification"]] == used[1]
    assert answer["request_id"] == "test-request"


def test_several_classifiers(settings: Settings) -> None:
    pipeline = fake_pipeline(
        None,
        fake_classifier("make", {"p": {"Renault": 1.0}}),
        fake_classifier("colour", {"p": {"red": 0.5}}),
    )
    answer = body(
        make_handler(settings, load=lambda _: pipeline)(load_event("published_predict"), None)
    )

    assert answer[0][0]["label"] == "Renault: 1.0"
    assert answer[0][0]["colour"] == {"label": "red: 0.5", "pred": ["red"], "prob": [0.5]}


PREFLIGHTS = ["/predict", "/Prod/health", "/nowhere", "/", ""]


@pytest.mark.parametrize("path", PREFLIGHTS)
def test_options_on_any_path_is_200(path: str, handler: Handler) -> None:
    response = handler(rest_event(path, method="OPTIONS"), None)

    assert response["statusCode"] == 200
    assert response["body"] == ""
    assert "POST" in response["headers"]["Access-Control-Allow-Methods"]
    assert response["headers"]["Access-Control-Allow-Headers"] == "*, Authorization"
    assert response["headers"]["Access-Control-Max-Age"] == "7200"


def test_health(handler: Handler) -> None:
    response = handler(load_event("rest_health"), None)

    assert response["statusCode"] == 200
    assert body(response) == {
        "status": "ok",
        "version": VERSION,
        "models": {
            "detection": {"name": "fake_detector", "version": "1.0.0", "sha256": "0" * 64},
            "classification": [{"name": "fake_classifier", "version": "1.0.0", "sha256": "0" * 64}],
        },
    }


def test_models(handler: Handler) -> None:
    answer = body(handler(load_event("rest_models"), None))

    assert answer["detection"]["labels"] == ["car", "truck", "person"]
    assert answer["classification"][0]["outputs"] == [
        {"name": "probabilities", "labels": ["clio", "208"]}
    ]


def test_head_is_answered_as_get_without_a_body(handler: Handler) -> None:
    response = handler(rest_event("/health", method="HEAD"), None)

    assert (response["statusCode"], response["body"]) == (200, "")


def time_left(milliseconds: int) -> SimpleNamespace:
    return SimpleNamespace(
        aws_request_id="lambda", get_remaining_time_in_millis=lambda: milliseconds
    )


DEADLINES: dict[str, tuple[Any, list[Any]]] = {
    "no context": (None, [[6, 8, 3]]),
    "a context without a clock": (SimpleNamespace(), [[6, 8, 3]]),
    "enough time": (time_left(20_000), [[6, 8, 3]]),
    "enough to answer only": (time_left(1_000), [[]]),
    "past": (time_left(-5), [[]]),
    "mock": (MagicMock(), [[6, 8, 3]]),
}


@pytest.mark.parametrize(("context", "answer"), DEADLINES.values(), ids=DEADLINES)
def test_the_limit_of_the_function(context: object, answer: list[Any], handler: Handler) -> None:
    response = handler(form_event("/shape", upload(plain())), context)

    assert response["statusCode"] == 200
    assert body(response) == answer


def test_the_limit_of_the_api(settings: Settings) -> None:
    # Reads of the clock: at the start, for the downloads, before the first picture, and later.
    times = chain([0.0, 5.0, 5.0], repeat(28.0))
    handler = make_handler(settings, clock=lambda: next(times), load=lambda _: fake_pipeline())
    response = handler(form_event("/shape", upload(plain()), upload(plain())), None)

    assert body(response) == [[6, 8, 3], []]
    assert response["headers"]["X-Failed-Images"] == "1=deadline_exceeded"


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class RaisingContext:
    @property
    def aws_request_id(self) -> str:
        raise RuntimeError("no context here")


def test_no_context_escapes(handler: Handler) -> None:
    response = handler(load_event("alb_nbytes"), RaisingContext())

    assert response["statusCode"] == 500
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"


def test_a_load_that_fails_in_an_unforeseen_way_is_answered(settings: Settings) -> None:
    def load(_settings: Settings) -> Pipeline:
        raise RecursionError

    response = make_handler(settings, load=load)(load_event("rest_health"), None)

    assert response["statusCode"] == 503


NONSENSE: dict[str, Callable[[], object]] = {
    "null": lambda: None,
    "a list": lambda: [],
    "empty": dict,
    "deeply nested": lambda: {"headers": {"a": nested(5000)}, "path": nested(5000)},
    "huge numbers": lambda: {"headers": {"a": 10**5000}, "queryStringParameters": {"a": 10**5000}},
    "lone surrogates": lambda: {
        "httpMethod": "POST",
        "path": "/predict",
        "headers": {"content-type": "multipart/form-data; boundary=\ud800"},
        "body": "\ud800",
        "isBase64Encoded": False,
    },
    "a scheduled event": lambda: {"source": "aws.events", "detail": {}},
    "a method that is no text": lambda: {"httpMethod": 7, "path": "/predict"},
    "no headers": lambda: {"httpMethod": "POST", "path": "/predict", "body": "QUJD"},
    "headers that are a list": lambda: {"httpMethod": "POST", "path": "/shape", "headers": [1]},
}


@pytest.mark.promise("well-formed-answer")
@pytest.mark.parametrize("make", NONSENSE.values(), ids=NONSENSE)
def test_no_event_escapes(make: Callable[[], object], handler: Handler) -> None:
    response = handler(make(), None)

    assert response["statusCode"] in (400, 404, 405, 415)
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"
    assert body(response)["error"]["message"]


def test_the_configured_origin_is_allowed(settings: Settings) -> None:
    handler = make_handler(
        replace(settings, cors_origin="https://app.example"), load=lambda _: fake_pipeline()
    )

    for event in (load_event("rest_predict"), load_event("error_no_body")):
        assert handler(event, None)["headers"]["Access-Control-Allow-Origin"] == (
            "https://app.example"
        )
