"""A request, to the API or its bucket, tried until it is answered or there is no use in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from matchvec_client.errors import ApiUnreachable
from matchvec_client.retry import MAX_RETRY_AFTER_SECONDS, Retry, parse_retry_after

T = TypeVar("T")
UNANSWERED_STATUSES = frozenset({500, 502, 504})
"""The function failed, ended, or took too long: it may be one of the pictures that does it."""
BUSY_STATUSES = frozenset({429, 503})
"""Whatever was sent, the API has no room or no models for it."""


class Unanswered(Exception):
    """The server failed with this request, each time; another request may fare better.

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
class Trouble:
    """An attempt that failed; `error` is raised if it was the last one."""

    error: ApiUnreachable | Unanswered
    retry_after: float | None = None


async def persist(
    attempt: Callable[[], Awaitable[T | Trouble]], retry: Retry, attempts: int | None = None
) -> T:
    """Try until there is an answer.

    Args:
        attempt: Tries once.
        retry: How often and how fast.
        attempts: How often where the server fails; None: as `retry` has it. A busy or unreachable
            one is always tried as `retry` has it.

    Raises:
        ApiUnreachable, Unanswered: What was wrong with the last attempt.
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


async def post(
    http: httpx.AsyncClient,
    url: str,
    **content: Any,  # noqa: ANN401  httpx has a type of its own for each
) -> httpx.Response | Trouble:
    """Post once; whatever status the answer has.

    Args:
        http: The client.
        url: Where to, absolute or below the client's.
        content: httpx's `params`, `json`, `data` and `files`.
    """
    try:
        return await http.post(url, **content)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        host = httpx.URL(url).host or http.base_url
        return Trouble(ApiUnreachable(f"{host} can't be reached: {_reason(error)}"))
    except httpx.TimeoutException:
        message = f"No answer within {http.timeout.read:g} s."
        return Trouble(Unanswered("timeout", message))
    except (httpx.TransportError, httpx.DecodingError) as error:
        message = f"The connection was cut before there was an answer: {_reason(error)}"
        return Trouble(Unanswered("no_answer", message))


def trouble_of(response: httpx.Response, code: str, message: str) -> Trouble | None:
    """What another attempt may mend about an answer; None where there is no such thing.

    Args:
        response: Not a success.
        code: What the answer says, as `error_of` reads it.
        message: Likewise.
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


def _own_code(status: int, code: str) -> str:
    if status == 500:
        return "internal_error"
    return "timeout" if status == 504 or code == "timeout" else "no_answer"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
