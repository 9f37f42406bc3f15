"""Paths and methods of the routes. `service.routes` says how each one is answered."""

from __future__ import annotations

from enum import StrEnum

from gateway.errors import MethodNotAllowed, UnknownRoute

GET = ("GET", "HEAD", "OPTIONS")
POST = ("POST", "OPTIONS")


class Route(StrEnum):
    """A route, named by the last segment of its path.

    Attributes:
        methods: HTTP methods of the route.
    """

    methods: tuple[str, ...]

    def __new__(cls, name: str, methods: tuple[str, ...]) -> Route:
        """Create a member from its name and methods."""
        route = str.__new__(cls, name)
        route._value_ = name
        route.methods = methods
        return route

    TRY = "try", GET
    """The try page. Its path is ``/``."""

    OBJECT_DETECTION = "object_detection", POST
    PREDICT = "predict", POST
    SHAPE = "shape", POST
    NBYTES = "nbytes", POST
    OBJECT_DETECTION_DETAILS = "object_detection_details", POST
    PREDICT_DETAILS = "predict_details", POST
    UPLOADS = "uploads", POST
    HEALTH = "health", GET
    MODELS = "models", GET
    DOCS = "docs", GET
    DEFINITION = "swagger.json", GET
    SWAGGER_UI_STYLE = "swagger-ui.css", GET
    SWAGGER_UI_SCRIPT = "swagger-ui-bundle.js", GET

    @property
    def path(self) -> str:
        """Path of the route, without a stage or base path."""
        return "/" if self is Route.TRY else f"/{self}"


NAMED = {str(route): route for route in Route if route is not Route.TRY}
"""Routes by the last segment of their path."""

ASSETS = frozenset({Route.SWAGGER_UI_STYLE, Route.SWAGGER_UI_SCRIPT})
"""Files that pages load. Error messages and documents do not list them."""


def route_of(path: str) -> Route | None:
    """Return the route of a path, or None if no route has it.

    Only the last segment counts, with or without a trailing slash: some events contain the stage
    (``/Prod/predict``) or the base path of a custom domain (``/vision/v1/predict``). A path that
    ends in a slash and names no other route (``/Prod/``) is the try page.
    """
    name = path.rstrip("/").rpartition("/")[2]
    return NAMED.get(name, Route.TRY if path.endswith("/") else None)


def find_route(method: str, path: str) -> Route:
    """Return the route of a path, if it has the method.

    Raises:
        UnknownRoute: No route has this path.
        MethodNotAllowed: The route does not have this method.
    """
    route = route_of(path)
    if route is None:
        raise UnknownRoute(f"No route has this path. The routes are: {_listing()}.")
    if method not in route.methods:
        message = f"Call {route.path} with {' or '.join(route.methods)}."
        if route is Route.TRY:  # The client probably forgot the name of the route.
            message = f"{message} The routes are: {_listing()}."
        raise MethodNotAllowed(message, route.methods)
    return route


def _listing() -> str:
    return ", ".join(f"{route.methods[0]} {route.path}" for route in Route if route not in ASSETS)
