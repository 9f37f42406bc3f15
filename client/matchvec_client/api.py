"""One request to the API, tried until it is answered or there is no use in trying."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from matchvec_client.batches import MAX_FILENAME
from matchvec_client.errors import ApiError, ApiRefused, ApiUnreachable, UsageError
from matchvec_client.retry import MAX_RETRY_AFTER_SECONDS, Retry, parse_retry_after
from matchvec_client.sources import Source
from matchvec_client.types import Picture, Route

UNANSWERED_STATUSES = frozenset({500, 502, 504})
"""The function failed, ended, or took too long: it may be one of the pictures that does it."""
BUSY_STATUSES = frozenset({429, 503})
"""Whatever was sent, the API has no room or no models for it."""


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
        content: The file's bytes; None for a url.
        upright_wh: Width and height of the picture before it was shrunk; None where it was not.
    """

    source: Source
    content: bytes | None
    upright_wh: tuple[int, int] | None = None

    def as_field(self) -> tuple[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]]:
        """The form's field."""
        if self.content is None:
            return "url", (None, self.source.name.encode("utf-8", "replace"))
        name = os.path.basename(self.source.name)[-MAX_FILENAME:]
        # On Linux a name can have bytes that are not UTF-8, which no form can hold.
        name = name.encode("utf-8", "replace").decode()
        return "image", (name or "picture", self.content, "application/octet-stream")


class RequestTooLarge(Exception):
    """The request, or its answer, is over a limit."""


class Unanswered(Exception):
    """The API failed with this request, each time; another request may fare better.

    Attributes:
        code: For a `Failure`.
        status: The HTTP status of the last answer; None where there was none.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        """Keep what is known."""
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An attempt that failed; `error` is raised if it was the last one."""

    error: ApiUnreachable | Unanswered
    retry_after: float | None = None


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
        failed = 0
        while True:
            outcome = await self._try(parts)
            if isinstance(outcome, list):
                return outcome
            failed += 1
            is_busy = isinstance(outcome.error, ApiUnreachable)
            most = self._retry.attempts if is_busy or attempts is None else attempts
            too_long = (outcome.retry_after or 0) > MAX_RETRY_AFTER_SECONDS
            if failed >= most or too_long:
                raise outcome.error
            await self._retry.wait(failed, outcome.retry_after)

    async def _try(self, parts: Sequence[Part]) -> list[Picture] | _Trouble:
        try:
            response = await self._http.post(
                self._query.route,
                params=self._query.parameters,
                files=[part.as_field() for part in parts],
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            message = f"{self._http.base_url} can't be reached: {_reason(error)}"
            return _Trouble(ApiUnreachable(message))
        except httpx.TimeoutException:
            message = f"No answer within {self._http.timeout.read:g} s."
            return _Trouble(Unanswered("timeout", message))
        except (httpx.TransportError, httpx.DecodingError) as error:
            message = f"The connection was cut before there was an answer: {_reason(error)}"
            return _Trouble(Unanswered("no_answer", message))
        return self._read(response, parts)

    def _read(self, response: httpx.Response, parts: Sequence[Part]) -> list[Picture] | _Trouble:
        status = response.status_code
        if status == 200:
            return self._pictures(response, parts)
        code, message = _error_of(response)
        if status == 413:
            raise RequestTooLarge(message)
        if status in BUSY_STATUSES and code != "quota_exceeded":
            retry_after = parse_retry_after(response.headers.get("Retry-After"))
            return _Trouble(ApiUnreachable(f"{status} {code}: {message}", status), retry_after)
        if status in UNANSWERED_STATUSES:
            error = Unanswered(_own_code(status, code), f"{status} {code}: {message}", status)
            if status == 504 and len(parts) > 1:
                raise error  # The same pictures would take as long again.
            return _Trouble(error)
        raise ApiRefused(code, message, status)

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


def _own_code(status: int, code: str) -> str:
    if status == 500:
        return "internal_error"
    return "timeout" if status == 504 or code == "timeout" else "no_answer"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _models_of(model: dict[str, Any]) -> tuple[str, ...]:
    used = [model["detection"], *model["classification"]]
    return tuple(f"{each['name']}@{each['version']}" for each in used if each)


def _error_of(response: httpx.Response) -> tuple[str, str]:
    """Code and message of a refusal, whoever wrote it: the API, API Gateway or a proxy."""
    if response.is_redirect:
        target = response.headers.get("Location", "")
        return "refused", f"The address has moved: use {target.partition('?')[0]} without its route"
    try:
        answer: Any = response.json()
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        error = answer.get("error")
        if isinstance(error, dict) and "code" in error:
            return str(error["code"]), str(error.get("message", ""))
        if isinstance(answer.get("message"), str):  # As API Gateway writes its own.
            return "refused", answer["message"]
    return "refused", f"{response.status_code} {response.reason_phrase}".strip()
