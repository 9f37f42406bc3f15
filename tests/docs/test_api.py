"""Compares the tables of docs/api.md with the definition and the code.

test_readme.py runs the commands and programs of docs/api.md.
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
from matchvec_client.types import TRANSIENT_CODES
from service.settings import Settings
from tests.support.documents import FENCE
from tests.support.tables import cells, quoted

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
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
    assert {first(name) for name, *_ in cells(TEXT, "field", "holds")} == set(
        SCHEMAS["Pictures"]["properties"]
    )
    shown = set(quoted(FENCE.sub("", TEXT)))
    for operation in POSTS.values():
        assert set(operation["requestBody"]["content"]) <= shown


def test_options() -> None:
    shown = {first(name): set(quoted(routes)) for name, routes, *_ in cells(TEXT, "option")}
    assert shown == {
        name: {
            path
            for path, operation in POSTS.items()
            if name in [each["name"] for each in operation["parameters"]]
            or name == "details"  # The definition has routes for it instead.
        }
        for name in ("threshold", "top", "details", "strict")
    }
    defaults = {first(name): first(default) for name, _, _, default in cells(TEXT, "option")}
    schemas = {each["name"]: each["schema"] for each in POSTS["/predict"]["parameters"]}
    assert defaults == {
        "threshold": "DETECTION_THRESHOLD",
        "top": str(schemas["top"]["default"]),
        "details": "false",
        "strict": str(schemas["strict"]["default"]).lower(),
    }
    assert defaults["top"] == str(DEFAULT_TOP)
    [top] = [values for name, _, values, _ in cells(TEXT, "option") if "top" in name]
    assert f"{schemas['top']['minimum']} to {schemas['top']['maximum']}" in top


def test_answers() -> None:
    assert [first(route) for route, _ in cells(TEXT, "route", "a picture")] == [
        path for path in POSTS if not path.endswith("_details")
    ]
    of = {
        name: (kind, of)
        for names, kind, of, _ in cells(TEXT, "field", "type")
        for name in quoted(names)
    }
    vehicle, detection = SCHEMAS["Vehicle"]["properties"], SCHEMAS["Detection"]["properties"]
    assert {name: kind for name, (kind, _) in of.items()} == {
        name: schema.get("type", "object") for name, schema in vehicle.items()
    }
    assert {name for name, (_, which) in of.items() if which == "both"} == set(detection)


def test_codes_of_a_picture() -> None:
    rows = cells(TEXT, "`code`", "when", "again")
    shown = {first(code): again for code, _, again in rows}
    assert set(shown) == {each.code for each in ERRORS if not hasattr(each, "status")}
    # The client retries the same codes.
    assert {code for code, again in shown.items() if again != "no"} == TRANSIENT_CODES & set(shown)
    details = SCHEMAS["ClassifiedPicture"]["properties"]
    assert set(shown) == set(details["error"]["properties"]["code"]["enum"])


def test_codes_of_a_request() -> None:
    shown = {(int(status), first(code)) for status, code, _ in cells(TEXT, "status")}
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
