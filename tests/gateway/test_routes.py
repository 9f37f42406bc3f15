from __future__ import annotations

import pytest

from gateway.errors import MethodNotAllowed, UnknownRoute
from gateway.routes import Route, find_route, route_of

PATHS = {
    "plain": ("/predict", Route.PREDICT),
    "trailing slash": ("/predict/", Route.PREDICT),
    "stage": ("/Prod/object_detection", Route.OBJECT_DETECTION),
    "base path of a custom domain": ("/vision/v1/shape", Route.SHAPE),
    "doubled slash": ("//nbytes", Route.NBYTES),
    "no slash": ("predict", Route.PREDICT),
}


@pytest.mark.parametrize(("path", "route"), PATHS.values(), ids=PATHS)
def test_path(path: str, route: Route) -> None:
    assert find_route("POST", path) is route


UNKNOWN = {
    "empty": "",
    "other": "/classify",
    "other case": "/Predict",
    "below a route": "/predict/cars",
    "dots": "/predict/..",
}


@pytest.mark.parametrize("path", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_path(path: str) -> None:
    with pytest.raises(UnknownRoute, match=r"POST /object_detection, POST /predict"):
        find_route("POST", path)


FOLDERS = {"root": "/", "stage": "/Prod/", "base path": "/vision/v1/"}


@pytest.mark.parametrize("path", FOLDERS.values(), ids=FOLDERS)
def test_every_folder_has_the_try_page(path: str) -> None:
    assert find_route("GET", path) is Route.TRY
    with pytest.raises(MethodNotAllowed, match=r"Call / with GET.*POST /predict"):
        find_route("POST", path)


def test_the_try_page_has_no_name() -> None:
    assert route_of("/try") is None
    assert Route.TRY.path == "/"


def test_assets_are_routes_that_errors_do_not_list() -> None:
    assert find_route("GET", "/Prod/docs/swagger-ui.css") is Route.SWAGGER_UI_STYLE
    with pytest.raises(UnknownRoute) as caught:
        find_route("GET", "/favicon.ico")
    assert "GET /, " in caught.value.message
    assert "GET /docs, GET /swagger.json" in caught.value.message
    assert "swagger-ui" not in caught.value.message


def test_route_of_ignores_the_method() -> None:
    assert route_of("/Prod/predict/") is Route.PREDICT
    assert route_of("/classify") is None


METHODS = {
    "GET on a picture route": ("GET", "/predict", "POST, OPTIONS"),
    "PUT on a picture route": ("PUT", "/shape", "POST, OPTIONS"),
    "POST on a page": ("POST", "/health", "GET, HEAD, OPTIONS"),
    "none": ("", "/models", "GET, HEAD, OPTIONS"),
}


@pytest.mark.parametrize(("method", "path", "allow"), METHODS.values(), ids=METHODS)
def test_wrong_method(method: str, path: str, allow: str) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        find_route(method, path)

    assert caught.value.headers == {"Allow": allow}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pages_are_read(method: str) -> None:
    assert find_route(method, "/Prod/health") is Route.HEALTH
