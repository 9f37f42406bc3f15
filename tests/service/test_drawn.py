"""The picture itself as the answer."""

from __future__ import annotations

import io
from base64 import b64decode
from typing import Any

import pytest
from PIL import Image

from inference.annotate import color_of
from service.settings import Settings
from tests.support.answers import check_well_formed, fields_of
from tests.support.events import form_event, load_event, upload
from tests.support.handlers import Handler, make_handler
from tests.support.models import fake_pipeline
from tests.support.network import FakeNetwork, http_answer
from tests.support.pictures import plain

PICTURE = plain(320, 240)


def asking(accept: str, *fields: Any, path: str = "/object_detection") -> dict[str, Any]:
    event = form_event(path, *(fields or [upload(PICTURE)]))
    event["headers"]["Accept"] = accept
    return event


def picture_of(response: dict[str, Any]) -> Image.Image:
    assert response["statusCode"] == 200
    assert response["isBase64Encoded"] is True
    image = Image.open(io.BytesIO(b64decode(response["body"], validate=True)))
    assert fields_of(response)["Content-Type"] == image.get_format_mimetype()
    return image


@pytest.mark.parametrize("path", ["/object_detection", "/predict", "/Prod/predict/"])
@pytest.mark.parametrize("accept", ["image/jpeg", "image/png", "image/png, application/json"])
def test_a_picture_is_answered(path: str, accept: str, handler: Handler) -> None:
    response = handler(asking(accept, path=path), None)
    check_well_formed(response)
    image = picture_of(response)
    assert image.size == (320, 240)
    if image.format == "PNG":
        colours = {color for _, color in image.convert("RGB").getcolors(1 << 20) or []}
        assert color_of("car") in colours
        # /predict draws what it answers: vehicles only
        assert (color_of("person") in colours) is (path == "/object_detection")


FRONT_DOORS = ["rest_predict", "http_api_object_detection", "function_url_shape", "alb_multi_value"]


@pytest.mark.parametrize("name", FRONT_DOORS)
def test_every_front_door_gets_it(name: str, handler: Handler) -> None:
    event = load_event(name)
    for path in ("path", "rawPath"):
        if path in event:
            event[path] = "/predict"
    for headers, value in (("headers", "image/png"), ("multiValueHeaders", ["image/png"])):
        if isinstance(event.get(headers), dict):
            kept = {key: each for key, each in event[headers].items() if key.lower() != "accept"}
            event[headers] = {**kept, "accept": value}
    response = handler(event, None)
    check_well_formed(response)
    assert picture_of(response).size == (8, 6)


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html, image/png", ""])
def test_everyone_else_gets_json(accept: str, handler: Handler) -> None:
    response = handler(asking(accept), None)
    assert response["headers"]["Content-Type"] == "application/json"


def test_a_route_without_boxes_answers_json(handler: Handler) -> None:
    assert handler(asking("image/jpeg", path="/shape"), None)["body"] == "[[240, 320, 3]]"


def test_a_picture_behind_a_url_is_drawn_on(settings: Settings) -> None:
    network = FakeNetwork({"a.example/b.png": http_answer(plain(64, 48))})
    handler = make_handler(settings, network.fetcher(), load=lambda _: fake_pipeline())
    response = handler(asking("image/png", ("url", "http://a.example/b.png")), None)
    assert picture_of(response).size == (64, 48)
    assert len(network.requests) == 1


REFUSED = {
    "several": ([upload(PICTURE), upload(PICTURE)], 400, "several_images", ""),
    "no picture": ([upload(b"text")], 422, "image_failed", "0=not_an_image"),
    "url": ([("url", "http://localhost/")], 422, "image_failed", "0=url_not_allowed"),
}


@pytest.mark.parametrize(("fields", "status", "code", "failed"), REFUSED.values(), ids=REFUSED)
def test_pictures_that_cannot_be_drawn_on(
    fields: list[Any], status: int, code: str, failed: str, handler: Handler
) -> None:
    response = handler(asking("image/jpeg", *fields), None)
    check_well_formed(response)
    assert response["statusCode"] == status
    assert f'"{code}"' in response["body"]
    assert response["headers"].get("X-Failed-Images", "") == failed
