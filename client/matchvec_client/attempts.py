"""Retries of one request to the API or to its bucket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from matchvec_client.errors import ApiUnreachable
from matchvec_client.retry import MAX_RETRY_AFTER_SECONDS, Retry, parse_retry_after

T = TypeVar("T")
UNANSWERED_STATUSES = frozenset({500, 502, 504})
"""The function failed, crashed or timed out; a picture may be the cause."""
BUSY_STATUSES = frozenset({429, 503})
"""The API has no capacity or no model; the pictures are not the cause."""


class Unanswered(Exception):
    """The server failed to answer this request in every attempt; another request may succeed.

    Attributes:
        code: For a `Failure`.
        status: The HTTP status of the last answer; None where there was none.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        """Store the code, the message and the status."""
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failed attempt; `error` is raised after the last one.

    Attributes:
        error: The exception to raise.
        retry_after: Seconds that the server asked to wait; None: not given.
    """

    error: ApiUnreachable | Unanswered
    retry_after: float | None = None


async def persist(
    attempt: Callable[[], Awaitable[T | Trouble]], retry: Retry, attempts: int | None = None
) -> T:
    """Repeat an attempt until it succeeds.

    Args:
        attempt: Sends the request once.
        retry: Number of attempts and waits.
        attempts: Attempts when the server fails; None: `retry.attempts`, which always applies when
            the server is busy or unreachable.

    Raises:
        ApiUnreachable: The server was busy or unreachable in the last attempt.
        Unanswered: The server failed to answer the last attempt.
    """
    failed = 0
    while True:
        outcome = await attempt()
        if not isinstance(outcome, Trouble):
            return outcome
        failed += 1
        is_busy = isinstance(outcome.error, ApiUnreachable)
        most = retry.attempts if is_busy or attempts is None else attempts
        too_long = (outcome.retry_after or 0) > MAX_RETRY_AFTER_SECONDS
        if failed >= most or too_long:
            raise outcome.error
        await retry.wait(failed, outcome.retry_after)


async def send(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    **content: Any,  # noqa: ANN401  httpx has a type of its own for each
) -> httpx.Response | Trouble:
    """Send one request and return the response, whatever its status.

    Args:
        http: The HTTP client.
        method: HTTP method.
        url: Absolute URL, or a path below the client's base URL.
        content: The `params`, `json`, `data` and `files` arguments of httpx.
    """
    try:
        return await http.request(method, url, **content)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        host = httpx.URL(url).host or http.base_url
        return Trouble(ApiUnreachable(f"{host} cannot be reached: {_reason(error)}"))
    except httpx.TimeoutException:
        message = f"No answer within {http.timeout.read:g} s."
        return Trouble(Unanswered("timeout", message))
    except (httpx.TransportError, httpx.DecodingError) as error:
        message = f"The connection was closed before the answer: {_reason(error)}"
        return Trouble(Unanswered("no_answer", message))


def trouble_of(response: httpx.Response, code: str, message: str) -> Trouble | None:
    """Return why an answer is worth another attempt; None: another attempt would not help.

    Args:
        response: An answer with an error status.
        code: Error code, from `error_of`.
        message: Error message, from `error_of`.
    """
    status = response.status_code
    text = f"{status} {code}: {message}"
    if status in BUSY_STATUSES and code != "quota_exceeded":
        retry_after = parse_retry_after(response.headers.get("Retry-After"))
        return Trouble(ApiUnreachable(text, status), retry_after)
    if status in UNANSWERED_STATUSES:
        return Trouble(Unanswered(_own_code(status, code), text, status))
    return None


def error_of(response: httpx.Response) -> tuple[str, str]:
    """Return the code and message of an error answer of the API, API Gateway or a proxy."""
    if response.is_redirect:
        target = response.headers.get("Location", "")
        return "refused", f"The API has moved. Use {target.partition('?')[0]} without the route."
    try:
        answer: Any = response.json()
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        error = answer.get("error")
        if isinstance(error, dict) and "code" in error:
            return str(error["code"]), str(error.get("message", ""))
        if isinstance(answer.get("message"), str):  # API Gateway's own errors.
            return "refused", answer["message"]
    return "refused", f"{response.status_code} {response.reason_phrase}".strip()


def _own_code(status: int, code: str) -> str:
    if status == 500:
        return "internal_error"
    return "timeout" if status == 504 or code == "timeout" else "no_answer"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
