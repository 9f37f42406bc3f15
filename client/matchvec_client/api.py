"""One request to the API, tried until it is answered or there is no use in trying."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from matchvec_client.attempts import Trouble, Unanswered, error_of, persist, post, trouble_of
from matchvec_client.batches import MAX_FILENAME
from matchvec_client.errors import ApiError, ApiRefused, ApiUnreachable, UsageError
from matchvec_client.retry import Retry
from matchvec_client.sources import Source
from matchvec_client.types import Picture, Route


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked about the pictures.

    Attributes:
        route: `predict`: vehicles, each classified. `object_detection`: all objects.
        threshold: Lowest score of a detection, 0..1; None: the API's own.
        top: Classes per vehicle, 1..20; None: the API's own.
    """

    route: Route = "predict"
    threshold: float | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        """Refuse here what the API would refuse, before anything is read or sent."""
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"threshold={self.threshold:g} is not a number from 0 to 1.")
        if self.top is not None and not 1 <= self.top <= 20:
            raise UsageError(f"top={self.top} is not a whole number from 1 to 20.")

    @property
    def parameters(self) -> dict[str, str]:
        """Of the url."""
        chosen = {"details": "true"}
        if self.threshold is not None:
            chosen["threshold"] = repr(float(self.threshold))
        if self.top is not None:
            chosen["top"] = str(self.top)
        return chosen


@dataclass(frozen=True, slots=True)
class Part:
    """A picture as it is sent.

    Attributes:
        source: Where it comes from.
        content: The file's bytes; None for a url, and for a picture that is in the API's bucket.
        upright_wh: Width and height of the picture before it was shrunk; None where it was not.
        s3: Where in the API's bucket it is, ``s3://bucket/key``; None where it is not.
    """

    source: Source
    content: bytes | None
    upright_wh: tuple[int, int] | None = None
    s3: str | None = None

    def as_field(self) -> tuple[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]]:
        """The form's field."""
        if self.s3 is not None:
            return "s3", (None, self.s3.encode())
        if self.content is None:
            return "url", (None, self.source.name.encode("utf-8", "replace"))
        name = os.path.basename(self.source.name)[-MAX_FILENAME:]
        # On Linux a name can have bytes that are not UTF-8, which no form can hold.
        name = name.encode("utf-8", "replace").decode()
        return "image", (name or "picture", self.content, "application/octet-stream")


class RequestTooLarge(Exception):
    """The request, or its answer, is over a limit."""


class Endpoint:
    """A route of the API with its options.

    Args:
        http: Has the API's address and key.
        query: What is asked.
        retry: How often to try.
    """

    def __init__(self, http: httpx.AsyncClient, query: Query, retry: Retry) -> None:
        """Nothing is sent yet."""
        self._http = http
        self._query = query
        self._retry = retry

    async def post(self, parts: Sequence[Part], attempts: int | None = None) -> list[Picture]:
        """Send pictures in one request; one answer for each, in order.

        Args:
            parts: One or more.
            attempts: How often to try where the API fails; None: as `retry` has it. A busy or
                unreachable API is always tried as `retry` has it.

        Raises:
            RequestTooLarge: Send fewer or smaller pictures.
            Unanswered: The API fails with these pictures.
            ApiUnreachable: The API is busy or can't be reached.
            ApiRefused: The API refuses requests like this one.
        """
        return await persist(lambda: self._try(parts), self._retry, attempts)

    async def _try(self, parts: Sequence[Part]) -> list[Picture] | Trouble:
        response = await post(
            self._http,
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
            raise trouble.error  # The same pictures would take as long again.
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
            message = f"{self._http.base_url} answers, but not as Matchvec does."
            raise ApiRefused("not_matchvec", message, response.status_code) from error
        return pictures


def final_error(error: Unanswered) -> ApiError:
    """Of failures that do not end, whatever is sent."""
    return ApiUnreachable(f"The API fails with picture after picture: {error}", error.status)


def _models_of(model: dict[str, Any]) -> tuple[str, ...]:
    used = [model["detection"], *model["classification"]]
    return tuple(f"{each['name']}@{each['version']}" for each in used if each)
