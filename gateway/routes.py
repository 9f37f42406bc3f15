"""The routes, and which methods each one has."""

from __future__ import annotations

from enum import StrEnum

from gateway.errors import MethodNotAllowed, UnknownRoute


class Route(StrEnum):
    """A route's name is the last segment of its path; `TRY` has none, its path is ``/``."""

    TRY = "try"

    OBJECT_DETECTION = "object_detection"
    PREDICT = "predict"
    SHAPE = "shape"
    NBYTES = "nbytes"
    UPLOADS = "uploads"
    HEALTH = "health"
    MODELS = "models"
    DOCS = "docs"
    DEFINITION = "swagger.json"
    SWAGGER_UI_STYLE = "swagger-ui.css"
    SWAGGER_UI_SCRIPT = "swagger-ui-bundle.js"

    @property
    def path(self) -> str:
        """Where the route is, without the prefixes that it may have."""
        return "/" if self is Route.TRY else f"/{self}"


PICTURE_METHODS = ("POST", "OPTIONS")
PAGE_METHODS = ("GET", "HEAD", "OPTIONS")
METHODS = {
    Route.TRY: PAGE_METHODS,
    Route.OBJECT_DETECTION: PICTURE_METHODS,
    Route.PREDICT: PICTURE_METHODS,
    Route.SHAPE: PICTURE_METHODS,
    Route.NBYTES: PICTURE_METHODS,
    Route.UPLOADS: PICTURE_METHODS,
    Route.HEALTH: PAGE_METHODS,
    Route.MODELS: PAGE_METHODS,
    Route.DOCS: PAGE_METHODS,
    Route.DEFINITION: PAGE_METHODS,
    Route.SWAGGER_UI_STYLE: PAGE_METHODS,
    Route.SWAGGER_UI_SCRIPT: PAGE_METHODS,
}

PAGES = frozenset(
    {
        Route.TRY,
        Route.DOCS,
        Route.DEFINITION,
        Route.SWAGGER_UI_STYLE,
        Route.SWAGGER_UI_SCRIPT,
    }
)
"""Files that are answered as they are, whatever the request's query."""

PARTS_OF_PAGES = frozenset({Route.SWAGGER_UI_STYLE, Route.SWAGGER_UI_SCRIPT})
"""What a page loads by itself; nobody has to know of it."""

DRAWN = frozenset({Route.OBJECT_DETECTION, Route.PREDICT})
"""Routes that answer a picture where the client asks for one."""


def route_of(path: str) -> Route | None:
    """The route of a path, which may have a prefix and a trailing slash; None: there is none.

    A stage (``/Prod/predict``) and the base path of a custom domain (``/vision/v1/predict``)
    come with the path on some front doors and not on others, so only the last segment counts. The
    try page is every folder's: what ends in a slash and is no other route (``/Prod/``).
    """
    name = path.rstrip("/").rpartition("/")[2]
    if name in set(Route) - {Route.TRY}:
        return Route(name)
    return Route.TRY if path.endswith("/") else None


def find_route(method: str, path: str) -> Route:
    """The route of a path, if it has the method.

    Raises:
        UnknownRoute: There is no such route.
        MethodNotAllowed: The route has other methods.
    """
    route = route_of(path)
    if route is None:
        raise UnknownRoute(f"There is no such route. The routes are: {_known()}.")
    allowed = METHODS[route]
    if method not in allowed:
        message = f"Call {route.path} with {' or '.join(allowed)}."
        if route is Route.TRY:  # A client that posts there has forgotten the route.
            message = f"{message} The routes are: {_known()}."
        raise MethodNotAllowed(message, allowed)
    return route


def _known() -> str:
    routes = (route for route in Route if route not in PARTS_OF_PAGES)
    return ", ".join(f"{METHODS[route][0]} {route.path}" for route in routes)
