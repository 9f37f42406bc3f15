"""Target `event`: every event gets a well-formed, documented answer.

The input is an event as JSON, or a list of lines: ``a.b: value`` sets a field to a value (JSON, or
plain text), and the text after an empty line is the body. Almost every mutation of a seed is
another event and not a syntax error.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from fuzz.network import Hop, MemoryNetwork
from gateway.deadline import Deadline
from gateway.errors import RequestError
from gateway.event import Request, decode_body, parse_event
from gateway.fetch import Fetcher
from gateway.options import parse_options
from gateway.parts import parse_body
from gateway.routes import find_route
from service.picture_answers import PICTURE_ROUTES
from service.settings import Settings
from tests.support.answers import check_well_formed, fields_of
from tests.support.handlers import make_handler
from tests.support.models import fake_pipeline
from tests.support.pictures import plain

STATUS_OF_CODE = {
    "malformed_body": 400,
    "no_image": 400,
    "bad_option": 400,
    "unknown_route": 404,
    "method_not_allowed": 405,
    "too_large": 413,
    "unsupported_media_type": 415,
    "several_images": 400,
    "image_failed": 422,
    "all_failed": 422,
}
"""Status by code, as in the README, without server errors, which cannot happen here."""

DRAWN_CODES = frozenset({"several_images", "image_failed"})
"""Error codes of one drawn picture whose form was parsed."""

PART_CODES = frozenset(
    {
        "not_an_image", "unsupported_format", "image_too_large", "url_not_allowed",
        "url_unreachable", "url_timeout", "url_too_large", "url_not_an_image",
    }
)  # fmt: skip
SETTINGS = Settings.from_environment({"MAX_PIXELS": "100000"})
PICTURE = plain()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PICTURE), PICTURE)


class _PictureEverywhere(Fetcher):
    """Returns the same picture for every url that is allowed."""

    def fetch(self, url: str, _deadline: Deadline) -> bytes:
        network = MemoryNetwork([Hop(("93.184.216.34",), ANSWER)])
        return network.fetcher(self.max_bytes).fetch(url, network.deadline)


HANDLER = make_handler(
    SETTINGS,
    _PictureEverywhere(10_000, 5),
    clock=lambda: 0.0,
    load=lambda _: fake_pipeline(),
)


def check(data: bytes) -> None:
    """Answer one event, and fail unless the answer is documented."""
    event = event_of(data)
    request = parse_event(event, None)
    response = HANDLER(event, None)
    check_well_formed(response)
    status, is_page = response["statusCode"], request.method != "POST"
    code, pictures = expected(request)
    body = response["body"]
    is_error = status not in (200, 304) and not is_usual_body(body)
    if not is_error:
        assert code is None, code
        assert is_page or status in (200, STATUS_OF_CODE["all_failed"])
    else:
        answered = str(json.loads(body)["error"]["code"] if body else code)
        assert STATUS_OF_CODE[answered] == status
        assert answered == code or (pictures is not None and answered in DRAWN_CODES)
    if not is_error and pictures is not None:
        check_elements(response, pictures)


def is_usual_body(body: str) -> bool:
    """Return whether a body has one element per picture, as with ``strict=true`` too."""
    answer = json.loads(body) if body else None
    return isinstance(answer, list) or (isinstance(answer, dict) and "images" in answer)


def check_elements(response: dict[str, Any], pictures: int) -> None:
    """Check that there is one element per picture and that all failures have documented codes."""
    fields = fields_of(response)
    if fields["Content-Type"] == "application/json":
        answer = json.loads(response["body"])
        elements = answer["images"] if isinstance(answer, dict) else answer
        assert len(elements) == pictures
    else:
        assert pictures == 1
    failed = fields.get("X-Failed-Images", "")
    for entry in failed.split(", ") if failed else ():
        position, _, code = entry.partition("=")
        assert int(position) < pictures
        assert code in PART_CODES, code


def expected(request: Request) -> tuple[str | None, int | None]:
    """Return the error code that the steps lead to, or the number of pictures that they find."""
    if request.method == "OPTIONS":
        return None, None
    try:
        if find_route(request.method, request.path) not in PICTURE_ROUTES:
            return None, None
        body = decode_body(request, SETTINGS.max_request_bytes)
        assert len(body) <= SETTINGS.max_request_bytes
        content_type = request.headers.get("content-type", "")
        form = parse_body(
            content_type, body, max_images=SETTINGS.max_images, max_urls=SETTINGS.max_urls
        )
        options = parse_options({**form.options, **request.query})
        assert options.threshold is None or 0 <= options.threshold <= 1
        assert 1 <= options.top <= 20
    except RequestError as error:
        return error.code, None
    return None, len(form.parts)


def event_of(data: bytes) -> Any:  # noqa: ANN401  an event may be anything that JSON can hold
    """Return the event for an input."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return _event_of_lines(data)


def _event_of_lines(data: bytes) -> dict[str, Any]:
    event: dict[str, Any] = {}
    head, _, body = data.partition(b"\n\n")
    for line in head.split(b"\n"):
        place, _, text = line.decode("utf-8", "surrogateescape").partition(": ")
        _put(event, place.split("."), _value(text))
    if body and "body" not in event:
        is_base64 = event.get("isBase64Encoded") is True
        encoded = base64.b64encode(body) if is_base64 else body
        event["body"] = encoded.decode("utf-8", "surrogateescape")
    return event


def _put(event: dict[str, Any], keys: list[str], value: object) -> None:
    place = event
    for key in keys[:-1]:
        if not isinstance(place.get(key), dict):
            place[key] = {}
        place = place[key]
    place[keys[-1]] = value


def _value(text: str) -> Any:  # noqa: ANN401  as above
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
