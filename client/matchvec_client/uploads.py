"""Upload of pictures that are too large for a request to the API's bucket.

`POST /uploads` returns a form that allows its holder to write one object for some minutes. The
client posts the form with the picture to S3 and sends the object's address to the API
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html).

The form comes from the API, which is trusted less than the user: its address must use https when
the API's does, and must not point into a private network unless the API itself is local. Redirects
are not followed, because the form and the picture would go to another server.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from matchvec_client.attempts import Trouble, Unanswered, error_of, persist, send, trouble_of
from matchvec_client.errors import ApiRefused, ApiUnreachable
from matchvec_client.retry import Retry
from matchvec_client.types import Failure

NOT_OFFERED_STATUSES = frozenset({404, 405})
UNKNOWN_ROUTE = "MissingAuthenticationTokenException"
"""`x-amzn-ErrorType` of API Gateway's 403 for a route that does not exist
(https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html)."""
MARGIN_SECONDS = 15.0
"""Seconds before its expiry at which a form is replaced: clocks differ, and uploads take time."""
MESSAGE_LETTERS = 300
"""Characters of S3's answer in an error message."""

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
)
"""Offset, first bytes and media type (https://mimesniff.spec.whatwg.org; TIFF 6.0)."""
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Form:
    """A presigned form for one object.

    Attributes:
        url: Address of the bucket.
        fields: Form fields to send before the picture; S3 ignores fields after it.
        s3: Address of the object for the API, ``s3://bucket/key``.
        max_bytes: Maximum size of the picture in bytes.
        expires_at: Time of expiry, by the clock of `Uploads`.
    """

    url: str
    fields: Mapping[str, str]
    s3: str
    max_bytes: int
    expires_at: float

    @classmethod
    def from_json(cls, value: Any, api_url: httpx.URL, now: float) -> Form:  # noqa: ANN401
        """Parse the answer of `POST /uploads`.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: The answer is invalid.
        """
        url = str(value["url"])
        check_bucket(httpx.URL(url), api_url)
        return cls(
            url=url,
            fields={str(name): str(field) for name, field in value["fields"].items()},
            s3=str(value["s3"]),
            max_bytes=int(value["max_bytes"]),
            expires_at=now + float(value["expires_in"]) - MARGIN_SECONDS,
        )


class Uploads:
    """The API's bucket.

    Args:
        http: HTTP client with the API's address and key.
        bucket: HTTP client for S3, without the key.
        retry: Number of attempts and waits.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        bucket: httpx.AsyncClient,
        retry: Retry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Store the arguments; send nothing."""
        self._http = http
        self._bucket = bucket
        self._retry = retry
        self._clock = clock
        # The lock makes concurrent uploads wait for the first answer, which may be "no bucket".
        self._asking = asyncio.Lock()
        self._is_offered = True

    async def put(self, content: bytes) -> str | Failure | None:
        """Upload a picture.

        Args:
            content: The picture's file.

        Returns:
            The object's address for the API; a `Failure` if the API or S3 refuses the picture (its
            code is `too_large` if a smaller one would be accepted); None if the API has no bucket.

        Raises:
            Unanswered: S3 cannot be reached, or S3 or the API fails with this picture.
            ApiUnreachable: The API is busy or cannot be reached.
            ApiRefused: The API refuses requests like this one.
        """
        content_type = type_of(content)
        form = await self._form(content_type)

        async def attempt() -> str | Failure | Trouble | None:
            nonlocal form
            if isinstance(form, Form) and self._clock() >= form.expires_at:
                form = await self._form(content_type)
            if not isinstance(form, Form):
                return form
            if len(content) > form.max_bytes:
                size, limit = len(content) / 1e6, form.max_bytes / 1e6
                message = f"The picture has {size:.1f} MB; the API accepts {limit:.1f} MB."
                return Failure("too_large", message)
            outcome = await self._send(form, content, content_type)
            if outcome is None:
                form = await self._form(content_type)
                return Trouble(Unanswered("no_answer", "The upload form expired."))
            return outcome

        return await persist(attempt, self._retry)

    async def _form(self, content_type: str) -> Form | Failure | None:
        """Return a form; None: the API has no bucket."""
        async with self._asking:
            if not self._is_offered:
                return None
            form = await persist(lambda: self._ask(content_type), self._retry)
            self._is_offered = form is not None
            return form

    async def _ask(self, content_type: str) -> Form | Failure | Trouble | None:
        response = await send(self._http, "POST", "uploads", json={"content_type": content_type})
        if isinstance(response, Trouble):
            return response
        status = response.status_code
        if status == 200:
            try:
                return Form.from_json(response.json(), self._http.base_url, self._clock())
            except (ValueError, KeyError, TypeError, AttributeError, httpx.InvalidURL) as error:
                message = f"{self._http.base_url} answers /uploads with an invalid form."
                raise ApiRefused("not_matchvec", message, status) from error
        is_unknown = response.headers.get("x-amzn-ErrorType") == UNKNOWN_ROUTE
        if status in NOT_OFFERED_STATUSES or is_unknown:
            return None
        code, message = error_of(response)
        if status in (400, 415, 422):  # The media type is refused; another picture may be accepted.
            return Failure(code, message)
        if trouble := trouble_of(response, code, message):
            return trouble
        raise ApiRefused(code, message, status)

    async def _send(
        self, form: Form, content: bytes, content_type: str
    ) -> str | Failure | Trouble | None:
        """Post a form to S3; None: S3 says that the form has expired."""
        response = await send(
            self._bucket,
            "POST",
            form.url,
            data=dict(form.fields),
            files={"file": ("picture", content, content_type)},
        )
        if isinstance(response, Trouble):
            return _of_one_picture(response)
        if response.is_success:
            return form.s3
        text = " ".join(response.text.split())[:MESSAGE_LETTERS]
        # S3 says "Policy expired", or "The provided token has expired" for the credentials.
        if response.status_code in (400, 403) and "expired" in text.lower():
            return None
        if "EntityTooLarge" in text:
            size = len(content) / 1e6
            return Failure("too_large", f"The picture has {size:.1f} MB; S3 accepts less.")
        # S3 answers 400 RequestTimeout for idle connections.
        if response.status_code == 400 and "RequestTimeout" in text:
            return Trouble(Unanswered("no_answer", f"S3: {text}", 400))
        if trouble := trouble_of(response, "S3", text):
            return _of_one_picture(trouble)
        return Failure("upload_refused", f"S3 refused the picture: {response.status_code} {text}")


def _of_one_picture(trouble: Trouble) -> Trouble:
    """Turn an unreachable S3, as behind some firewalls, into an error of this picture only."""
    if isinstance(trouble.error, ApiUnreachable):
        error = Unanswered("no_answer", trouble.error.message, trouble.error.status)
        return replace(trouble, error=error)
    return trouble


def check_bucket(url: httpx.URL, api_url: httpx.URL) -> None:
    """Check that a picture may be sent to the address that the API named.

    Args:
        url: Address of the bucket.
        api_url: Address of the API.

    Raises:
        ValueError: The address has no encryption although the API's has, or it is a private
            address although the API's is not.
    """
    allowed = ("https",) if api_url.scheme == "https" else ("http", "https")
    if url.scheme not in allowed or not url.host or url.userinfo:
        raise ValueError(f"{url} is not an allowed address of a bucket.")
    if _is_private(url.host) and not _is_private(api_url.host):
        raise ValueError(f"{url} is an address in a private network.")


def _is_private(host: str) -> bool:
    """Return True for `localhost` and for IP address literals that are not public."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(name.partition("%")[0]).is_global
    except ValueError:
        # Resolvers read forms such as 127.1 and 0x7f000001 as addresses; no bucket has such a name.
        return bool(re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]+", name))


def type_of(content: bytes) -> str:
    """Return the media type of a picture by its first bytes."""
    for offset, signature, media_type in SIGNATURES:
        if content.startswith(signature, offset):
            return media_type
    return UNKNOWN_TYPE
