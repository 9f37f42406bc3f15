"""The routes, and which methods each one has."""

from __future__ import annotations

from enum import StrEnum

from gateway.errors import MethodNotAllowed, UnknownRoute


class Route(StrEnum):
    """A route's name is the last segment of its path."""

    OBJECT_DETECTION = "object_detection"
    PREDICT = "predict"
    SHAPE = "shape"
    NBYTES = "nbytes"
    HEALTH = "health"
    MODELS = "models"


PICTURE_METHODS = ("POST", "OPTIONS")
PAGE_METHODS = ("GET", "HEAD", "OPTIONS")
METHODS = {
    Route.OBJECT_DETECTION: PICTURE_METHODS,
    Route.PREDICT: PICTURE_METHODS,
    Route.SHAPE: PICTURE_METHODS,
    Route.NBYTES: PICTURE_METHODS,
    Route.HEALTH: PAGE_METHODS,
    Route.MODELS: PAGE_METHODS,
}


def route_of(path: str) -> Route | None:
    """The route of a path, which may have a prefix and a trailing slash; None: there is none.

    A stage (``/Prod/predict``) and the base path of a custom domain (``/vision/v1/predict``)
    come with the path on some front doors and not on others, so only the last segment counts.
    """
    name = path.rstrip("/").rpartition("/")[2]
    return Route(name) if name in set(Route) else None


def find_route(method: str, path: str) -> Route:
    """The route of a path, if it has the method.

    Raises:
        UnknownRoute: There is no such route.
        MethodNotAllowed: The route has other methods.
    """
    route = route_of(path)
    if route is None:
        known = ", ".join(f"{METHODS[route][0]} /{route}" for route in Route)
        raise UnknownRoute(f"There is no such route. The routes are: {known}.")
    allowed = METHODS[route]
    if method not in allowed:
        raise MethodNotAllowed(f"Call /{route} with {' or '.join(allowed)}.", allowed)
    return route
