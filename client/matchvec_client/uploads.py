"""Pictures that are too large for a request go to the API's bucket, if it has one.

The API answers `POST /uploads` with a form that lets its reader write one object, for some
minutes; the form goes to S3 with the picture, and the API is told the object's name
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from matchvec_client.attempts import Trouble, Unanswered, error_of, persist, post, trouble_of
from matchvec_client.errors import ApiRefused, ApiUnreachable
from matchvec_client.retry import Retry
from matchvec_client.types import Failure

NOT_OFFERED_STATUSES = frozenset({404, 405})
UNKNOWN_ROUTE = "MissingAuthenticationTokenException"
"""What API Gateway says in `x-amzn-ErrorType`, with a 403, of a route that it has not
(https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html)."""
MARGIN_SECONDS = 15.0
"""A form that is about to expire is not begun with: clocks differ, and S3 looks when it arrives."""
MESSAGE_LETTERS = 300

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
)
"""Offset and first bytes, as https://mimesniff.spec.whatwg.org has them; TIFF's as in TIFF 6.0."""
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Form:
    """The right to write one object.

    Attributes:
        url: Where the form goes.
        fields: What it holds beside the picture; S3 ignores what comes after the picture.
        s3: The object's name for the API, ``s3://bucket/key``.
        max_bytes: Largest picture.
        expires_at: When the right ends, by the clock of `Uploads`.
    """

    url: str
    fields: Mapping[str, str]
    s3: str
    max_bytes: int
    expires_at: float

    @classmethod
    def from_json(cls, value: Any, now: float) -> Form:  # noqa: ANN401  any JSON
        """Read the API's answer.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: It is none.
        """
        url = str(value["url"])
        if httpx.URL(url).scheme not in ("http", "https"):
            raise ValueError(url)
        return cls(
            url=url,
            fields={str(name): str(field) for name, field in value["fields"].items()},
            s3=str(value["s3"]),
            max_bytes=int(value["max_bytes"]),
            expires_at=now + float(value["expires_in"]) - MARGIN_SECONDS,
        )


class Uploads:
    """The API's bucket, as far as a run of the client needs it.

    Args:
        http: Has the API's address and key.
        bucket: Reaches S3, without the key.
        retry: How often to try.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        bucket: httpx.AsyncClient,
        retry: Retry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet."""
        self._http = http
        self._bucket = bucket
        self._retry = retry
        self._clock = clock
        # Held while asking: where there is no bucket, one question for all is enough.
        self._asking = asyncio.Lock()
        self._is_offered = True

    async def put(self, content: bytes) -> str | Failure | None:
        """Bring a picture to the bucket.

        Args:
            content: The file.

        Returns:
            Its name for the API; or why the API or S3 takes no such picture, of which
            `too_large` may be mended by shrinking; None where the API has no bucket.

        Raises:
            Unanswered: S3 can't be reached, or one of them fails with this picture.
            ApiUnreachable: The API is busy or can't be reached.
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
                message = f"The picture has {size:.1f} MB, the API takes {limit:.1f} MB"
                return Failure("too_large", message)
            outcome = await self._send(form, content, content_type)
            if outcome is None:
                form = await self._form(content_type)
                return Trouble(Unanswered("no_answer", "The upload's form expired on its way."))
            return outcome

        return await persist(attempt, self._retry)

    async def _form(self, content_type: str) -> Form | Failure | None:
        """The right to write an object; None where the API has no bucket."""
        async with self._asking:
            if not self._is_offered:
                return None
            form = await persist(lambda: self._ask(content_type), self._retry)
            self._is_offered = form is not None
            return form

    async def _ask(self, content_type: str) -> Form | Failure | Trouble | None:
        response = await post(self._http, "uploads", json={"content_type": content_type})
        if isinstance(response, Trouble):
            return response
        status = response.status_code
        if status == 200:
            try:
                return Form.from_json(response.json(), self._clock())
            except (ValueError, KeyError, TypeError, AttributeError, httpx.InvalidURL) as error:
                message = f"{self._http.base_url} offers uploads, but not as Matchvec does."
                raise ApiRefused("not_matchvec", message, status) from error
        is_unknown = response.headers.get("x-amzn-ErrorType") == UNKNOWN_ROUTE
        if status in NOT_OFFERED_STATUSES or is_unknown:
            return None
        code, message = error_of(response)
        if status in (400, 415, 422):  # About the type: another picture may be welcome.
            return Failure(code, message)
        if trouble := trouble_of(response, code, message):
            return trouble
        raise ApiRefused(code, message, status)

    async def _send(
        self, form: Form, content: bytes, content_type: str
    ) -> str | Failure | Trouble | None:
        """Post a form to S3; None where S3 says that it has expired."""
        response = await post(
            self._bucket,
            form.url,
            data=dict(form.fields),
            files={"file": ("picture", content, content_type)},
        )
        if isinstance(response, Trouble):
            return _of_one_picture(response)
        if response.is_success:
            return form.s3
        text = " ".join(response.text.split())[:MESSAGE_LETTERS]
        # "Policy expired", or the credentials that signed it: "The provided token has expired".
        if response.status_code in (400, 403) and "expired" in text.lower():
            return None
        if "EntityTooLarge" in text:
            size = len(content) / 1e6
            return Failure("too_large", f"The picture has {size:.1f} MB, more than S3 takes")
        # A connection that was silent for long is answered 400; the rest as usual.
        if response.status_code == 400 and "RequestTimeout" in text:
            return Trouble(Unanswered("no_answer", f"S3: {text}", 400))
        if trouble := trouble_of(response, "S3", text):
            return _of_one_picture(trouble)
        return Failure("upload_refused", f"S3 refused the picture: {response.status_code} {text}")


def _of_one_picture(trouble: Trouble) -> Trouble:
    """S3 out of reach, as behind some firewalls, is no reason to end a run of smaller pictures."""
    if isinstance(trouble.error, ApiUnreachable):
        error = Unanswered("no_answer", trouble.error.message, trouble.error.status)
        return replace(trouble, error=error)
    return trouble


def type_of(content: bytes) -> str:
    """The media type of a picture by its first bytes."""
    for offset, signature, media_type in SIGNATURES:
        if content.startswith(signature, offset):
            return media_type
    return UNKNOWN_TYPE
