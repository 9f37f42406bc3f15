"""The pages as the handler answers them, and what a browser may do with them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from gateway.routes import Route
from service.pages import FILES, FOLDER, content_security_policy, page_of
from service.routes import ROUTES
from tests.support.answers import check_well_formed
from tests.support.events import rest_event
from tests.support.handlers import Handler

ROOT = Path(__file__).parent.parent.parent

TYPES = {
    "/": "text/html; charset=utf-8",
    "/Prod/": "text/html; charset=utf-8",
    "/docs": "text/html; charset=utf-8",
    "/docs/": "text/html; charset=utf-8",
    "/swagger.json": "application/json",
    "/swagger-ui.css": "text/css; charset=utf-8",
    "/docs/swagger-ui-bundle.js": "text/javascript",
}


def get(handler: Handler, path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    event = rest_event(path, method=method)
    event["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    response = handler(event, None)
    check_well_formed(response)
    return response


@pytest.mark.parametrize(("path", "content_type"), TYPES.items(), ids=TYPES)
def test_a_page_is_served(path: str, content_type: str, handler: Handler) -> None:
    response = get(handler, path)
    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == content_type
    assert response["headers"]["X-Content-Type-Options"] == "nosniff"
    assert len(response["body"]) > 1000


@pytest.mark.parametrize("path", ["/", "/docs", "/swagger-ui-bundle.js"])
def test_head_is_the_same_without_the_content(path: str, handler: Handler) -> None:
    head = get(handler, path, method="HEAD")
    assert head == {**get(handler, path), "body": ""}


def test_a_page_that_the_browser_has_is_not_sent_again(handler: Handler) -> None:
    etag = get(handler, "/")["headers"]["ETag"]
    again = get(handler, "/", If_None_Match=etag)
    assert (again["statusCode"], again["body"]) == (304, "")
    assert get(handler, "/", If_None_Match='W/"other"')["statusCode"] == 200


def test_pages_are_asked_for_each_time_and_their_parts_once(handler: Handler) -> None:
    caching = {path: get(handler, path)["headers"]["Cache-Control"] for path in TYPES}
    forever = "public, max-age=31536000, immutable"
    assert caching["/"] == caching["/docs"] == caching["/swagger.json"] == "no-cache"
    assert caching["/swagger-ui.css"] == caching["/docs/swagger-ui-bundle.js"] == forever


@pytest.mark.parametrize("route", [Route.TRY, Route.DOCS])
def test_only_the_pages_own_script_and_styles_have_an_effect(route: Route) -> None:
    page = page_of(route)
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in page.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    for kind in ("script", "style"):
        contents = re.findall(rf"<{kind}>(.*?)</{kind}>", page.text, re.DOTALL)
        assert contents
        for content in contents:
            digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy[f"{kind}-src"]
        assert "unsafe" not in policy[f"{kind}-src"]
    assert not re.search(r"<[^>]+\s(on\w+|style)=", page.text), "inline handlers and styles"


def test_a_changed_script_is_another_policy() -> None:
    policies = {content_security_policy(f"<script>{n}</script>", "img-src *") for n in (1, 2)}
    assert len(policies) == 2


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name in ("index.html", "docs.html"):
        html = (FOLDER / name).read_text()
        addresses = re.findall(r"(?:src|href)=\"([^\"]*)\"", html)
        assert addresses
        assert [each for each in addresses if re.match(r"(https?:)?//|/", each)] == []


def test_the_try_page_is_one_small_file() -> None:
    assert (FOLDER / "index.html").stat().st_size <= 75_000


def test_every_page_has_its_file() -> None:
    assert set(FILES) == {route for route, answer in ROUTES.items() if answer is ROUTES[Route.TRY]}
    assert all((FOLDER / name).is_file() for name, _ in FILES.values())


def test_swagger_ui_is_as_published() -> None:
    """pages/swagger_ui/README.md says from where, and what the files' checksums are."""
    folder = FOLDER / "swagger_ui"
    readme = (folder / "README.md").read_text()
    checksums = dict(re.findall(r"\| `([\w.-]+)` \| `([0-9a-f]{64})` \|", readme))
    assert set(checksums) == {"swagger-ui-bundle.js", "swagger-ui.css"}
    for name, checksum in checksums.items():
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
        assert hashlib.sha256(content).hexdigest() == checksum
    [version] = re.findall(r"swagger-ui-dist (\d+\.\d+\.\d+)", readme)
    asked = set(re.findall(r"\?v=([\d.]+)", (FOLDER / "docs.html").read_text()))
    assert asked == {version}
    assert "Apache License" in (folder / "LICENSE").read_text()


def test_the_definition_is_json(handler: Handler) -> None:
    definition = json.loads(get(handler, "/swagger.json")["body"])
    assert "/predict" in definition["paths"]


def test_a_start_reads_no_page_and_loads_nothing_that_draws() -> None:
    code = (
        "import sys, lambda_function, service.pages; "
        "print(service.pages.page_of.cache_info().currsize, 'PIL.ImageDraw' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "False"]
