"""Requests to the API."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from matchvec_client.attempts import (
    Trouble,
    Unanswered,
    error_of,
    persist,
    send,
    trouble_of,
)
from matchvec_client.batches import MAX_FILENAME
from matchvec_client.errors import ApiError, ApiRefused, ApiUnreachable, UsageError
from matchvec_client.retry import Retry
from matchvec_client.sources import Source
from matchvec_client.types import Picture, Route


@dataclass(frozen=True, slots=True)
class Query:
    """A route and its options.

    Attributes:
        route: `predict`: vehicles, each classified. `object_detection`: all objects.
        threshold: Minimum detection score, 0..1; None: the API's default.
        top: Maximum number of classes per classifier, 1..20; None: the API's default.
    """

    route: Route = "predict"
    threshold: float | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        """Reject values that the API would reject, before any file is read."""
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"threshold={self.threshold:g} is out of range. Use 0 to 1.")
        if self.top is not None and not 1 <= self.top <= 20:
            raise UsageError(f"top={self.top} is out of range. Use 1 to 20.")

    @property
    def parameters(self) -> dict[str, str]:
        """Return the query parameters of the request."""
        chosen = {"details": "true"}
        if self.threshold is not None:
            chosen["threshold"] = repr(float(self.threshold))
        if self.top is not None:
            chosen["top"] = str(self.top)
        return chosen


@dataclass(frozen=True, slots=True)
class Part:
    """A picture in the form in which it is sent.

    Attributes:
        source: The picture's source.
        content: The file's bytes; None: a URL, or a picture in the API's bucket.
        upright_wh: (width, height) of the picture before it was reduced; None: not reduced.
        s3: Address in the API's bucket, ``s3://bucket/key``; None: not in the bucket.
    """

    source: Source
    content: bytes | None
    upright_wh: tuple[int, int] | None = None
    s3: str | None = None

    def as_field(self) -> tuple[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]]:
        """Return the form field: name, and (file name, content, media type)."""
        if self.s3 is not None:
            return "s3", (None, self.s3.encode())
        if self.content is None:
            return "url", (None, self.source.name.encode("utf-8", "replace"))
        name = os.path.basename(self.source.name)[-MAX_FILENAME:]
        # On Linux a file name can have bytes that are not UTF-8, which a form cannot hold.
        name = name.encode("utf-8", "replace").decode()
        return "image", (name or "picture", self.content, "application/octet-stream")


class RequestTooLarge(Exception):
    """The request or its answer exceeds a limit."""


class Endpoint:
    """A route of the API with its options.

    Args:
        http: HTTP client with the API's address and key.
        query: Route and options.
        retry: Number of attempts and waits.
    """

    def __init__(self, http: httpx.AsyncClient, query: Query, retry: Retry) -> None:
        """Store the arguments; send nothing."""
        self._http = http
        self._query = query
        self._retry = retry

    async def post(self, parts: Sequence[Part], attempts: int | None = None) -> list[Picture]:
        """Send pictures in one request and return one answer for each, in order.

        Args:
            parts: Pictures, at least one.
            attempts: Attempts when the API fails; None: `retry.attempts`, which always applies when
                the API is busy or unreachable.

        Raises:
            RequestTooLarge: The request needs fewer or smaller pictures.
            Unanswered: The API fails with these pictures.
            ApiUnreachable: The API is busy or cannot be reached.
            ApiRefused: The API refuses requests like this one.
        """
        return await persist(lambda: self._try(parts), self._retry, attempts)

    async def _try(self, parts: Sequence[Part]) -> list[Picture] | Trouble:
        response = await send(
            self._http,
            "POST",
            self._query.route,
            params=self._query.parameters,
            files=[part.as_field() for part in parts],
        )
        if isinstance(response, Trouble):
            return response
        status = response.status_code
        if status == 200:
            return self._pictures(response, parts)
        code, message = error_of(response)
        if status == 413:
            raise RequestTooLarge(message)
        trouble = trouble_of(response, code, message)
        if trouble is None:
            raise ApiRefused(code, message, status)
        if status == 504 and len(parts) > 1:
            raise trouble.error  # The same pictures would time out again.
        return trouble

    def _pictures(self, response: httpx.Response, parts: Sequence[Part]) -> list[Picture]:
        try:
            answer: Any = response.json()
            models = _models_of(answer["model"])
            pictures = [
                Picture.from_json(part.source.name, each, models)
                for part, each in zip(parts, answer["images"], strict=True)
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"{self._http.base_url} does not answer as Matchvec does. Check it."
            raise ApiRefused("not_matchvec", message, response.status_code) from error
        return pictures


async def get_json(http: httpx.AsyncClient, path: str, retry: Retry) -> dict[str, Any]:
    """Return the JSON object of a GET route.

    Args:
        http: HTTP client with the API's address and key.
        path: Route without its slash.
        retry: Number of attempts and waits.

    Raises:
        ApiUnreachable: The API is busy, fails or cannot be reached.
        ApiRefused: The API refuses the request, or does not answer as Matchvec does.
    """

    async def attempt() -> dict[str, Any] | Trouble:
        response = await send(http, "GET", path)
        if isinstance(response, Trouble):
            return response
        status = response.status_code
        if status != 200:
            code, message = error_of(response)
            if trouble := trouble_of(response, code, message):
                return trouble
            raise ApiRefused(code, message, status)
        try:
            answer: Any = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            message = f"{http.base_url} does not answer as Matchvec does. Check it."
            raise ApiRefused("not_matchvec", message, status)
        return answer

    try:
        return await persist(attempt, retry)
    except Unanswered as error:
        raise ApiUnreachable(str(error), error.status) from error


def final_error(error: Unanswered) -> ApiError:
    """Return the error for an API that fails with every picture."""
    return ApiUnreachable(f"The API failed with several pictures in a row: {error}", error.status)


def _models_of(model: dict[str, Any]) -> tuple[str, ...]:
    used = [model["detection"], *model["classification"]]
    return tuple(f"{each['name']}@{each['version']}" for each in used if each)
