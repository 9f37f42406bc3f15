"""Compares the tables of docs/api.md, routes.md and errors.md with the definition and the code.

test_readme.py runs the commands of docs/api.md.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import yaml

import gateway.errors
import inference.errors
from gateway.event import parse_event
from gateway.options import DEFAULT_TOP
from gateway.response import json_response
from gateway.routes import ASSETS, Route
from matchvec_client.types import TRANSIENT_CODES
from service.settings import Settings
from tests.support.documents import FENCE
from tests.support.tables import cells, quoted

ROOT = Path(__file__).parents[2]
TEXT, ROUTES, PROBLEMS = (
    (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("api.md", "routes.md", "errors.md")
)
DEFINITION: dict[str, Any] = yaml.safe_load((ROOT / "swagger.yaml").read_text())
SCHEMAS: dict[str, Any] = DEFINITION["components"]["schemas"]
POSTS: dict[str, Any] = {
    path: item["post"]
    for path, item in DEFINITION["paths"].items()
    if "pictures" in item.get("post", {}).get("tags", [])
    and "multipart/form-data" in item["post"]["requestBody"]["content"]
}
ERRORS: list[Any] = [
    each
    for module in (gateway.errors, inference.errors)
    for _, each in inspect.getmembers(module, inspect.isclass)
    if hasattr(each, "code")
]


def first(text: str) -> str:
    return quoted(text)[0]


def test_requests() -> None:
    shown = set(quoted(FENCE.sub("", TEXT)))
    for operation in POSTS.values():
        assert set(operation["requestBody"]["content"]) <= shown | {"multipart/form-data"}
    assert set(SCHEMAS["Pictures"]["properties"]) <= shown


def test_options() -> None:
    shown = {
        first(name): (set(quoted(routes)), default)
        for name, _, default, routes, _ in cells(ROUTES, "option")
    }
    predict = {"/predict", "/predict_details"}
    assert shown == {
        "threshold": (predict | {"/object_detection", "/object_detection_details"}, ""),
        "top": (predict, f"`{DEFAULT_TOP}`"),
        "strict": (set(POSTS), "`false`"),
    }


def test_answers() -> None:
    assert [first(route) for route, _ in cells(TEXT, "route", "element")] == [
        path for path in POSTS if not path.endswith("_details")
    ]


def test_routes() -> None:
    shown = [first(route) for route, *_ in cells(ROUTES, "route")]
    assert sorted(shown) == sorted(
        f"{route.methods[0]} {route.path}" for route in Route if route not in ASSETS
    )


def test_codes_of_a_picture() -> None:
    shown = {first(code): retry for code, _, _, retry in cells(PROBLEMS, "code")}
    assert set(shown) == {each.code for each in ERRORS if not hasattr(each, "status")}
    # The client retries the same codes.
    assert {code for code, retry in shown.items() if retry == "yes"} == TRANSIENT_CODES & set(shown)
    details = SCHEMAS["ClassifiedPicture"]["properties"]
    assert set(shown) == set(details["error"]["properties"]["code"]["enum"])


def test_codes_of_a_request() -> None:
    shown = {(int(status), first(code)) for status, code, *_ in cells(PROBLEMS, "status", "code")}
    assert shown == {(each.status, each.code) for each in ERRORS if hasattr(each, "status")}


def test_cors() -> None:
    request = parse_event({}, None)
    headers = json_response(request, None, cors_origin="CORS_ORIGIN")["headers"]
    shown = {first(name): first(value) for name, value in cells(TEXT, "field", "value")}
    assert shown == {
        name: value for name, value in headers.items() if name.startswith("Access-Control-")
    }


def test_limits() -> None:
    shown = {first(name): first(default) for name, default, _ in cells(TEXT, "limit")}
    assert Settings.from_environment(shown) == Settings.from_environment({})
    codes = {each.code for each in ERRORS}
    assert {code for *_, over in cells(TEXT, "limit") for code in quoted(over)} <= codes
