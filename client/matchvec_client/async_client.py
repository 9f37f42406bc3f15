"""The API as Python functions for asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterable, Sequence
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from matchvec_client.api import Endpoint, Query
from matchvec_client.batches import Limits
from matchvec_client.errors import UsageError
from matchvec_client.retry import Retry
from matchvec_client.run import Answered, InOrder, Run
from matchvec_client.shrink import require_pillow
from matchvec_client.sources import Given, Source, expand
from matchvec_client.types import Picture
from matchvec_client.uploads import Uploads

CONNECT_SECONDS = 10.0


class AsyncClient:
    """The API, for asyncio.

    Pictures are files, folders, globs, urls and bytes, mixed as you like (see `sources.expand`).
    They are sent in requests within the API's limits, several at once, and tried again where it
    helps. A picture that fails has an `error` and spoils nothing.

    Example:
        >>> async with AsyncClient("http://127.0.0.1:3000") as client:  # doctest: +SKIP
        ...     async for picture in client.predict(["photos/", "https://example.com/car.jpg"]):
        ...         print(picture.name, [found.label for found in picture.predictions])

    Args:
        url: The API's address, with its stage if it has one: ``https://example.com/Prod``.
        api_key: Where the API asks for one.
        jobs: Requests at once.
        timeout: Seconds to wait for an answer; API Gateway gives up after 29.
        limits: Of a request.
        retry: How often and how fast to try again.
        shrink: Whether a picture that neither a request nor the API's bucket takes is sent
            smaller, its boxes scaled back; needs Pillow. Otherwise it is `too_large`.
        transport: Sends the requests; for tests and special networks.

    Raises:
        UsageError: The address is none, or a number is out of its range.
        PillowMissing: `shrink` needs it.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        jobs: int = 4,
        timeout: float = 60.0,
        limits: Limits | None = None,
        retry: Retry | None = None,
        shrink: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is sent yet."""
        if jobs < 1:
            raise UsageError(f"jobs={jobs} is not 1 or more.")
        if not timeout > 0:
            raise UsageError(f"timeout={timeout:g} is not more than 0 seconds.")
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise UsageError("The API key has characters that no key has.")
        if shrink:
            require_pillow("Shrinking")
        self._jobs = jobs
        self._limits = limits or Limits()
        self._retry = retry or Retry()
        self._may_shrink = shrink
        seconds = httpx.Timeout(timeout, connect=CONNECT_SECONDS, pool=None)
        connections = httpx.Limits(max_connections=jobs)
        self._http = httpx.AsyncClient(
            base_url=_checked(url),
            headers={"X-Api-Key": api_key} if api_key else {},
            verify=_certificates(),
            timeout=seconds,
            limits=connections,
            transport=transport,
        )
        # The API's bucket is another server, which must not see the key. A new one sends on to
        # its region for some hours: https://docs.aws.amazon.com/AmazonS3/latest/API/Redirects.html
        self._bucket = httpx.AsyncClient(
            verify=_certificates(),
            timeout=seconds,
            limits=connections,
            transport=transport,
            follow_redirects=True,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self._bucket.aclose()

    def detect(
        self, pictures: Iterable[Given] | Given, *, threshold: float | None = None
    ) -> AsyncGenerator[Picture, None]:
        """The objects on each picture, in the order of the pictures.

        Args:
            pictures: What to send.
            threshold: Lowest score of a detection, 0..1; None: the API's own.

        Raises:
            UsageError: A path leads nowhere, or an option is out of its range.
            ApiError: The API is unreachable, or refuses.
        """
        return self._ask(pictures, Query("object_detection", threshold))

    def predict(
        self,
        pictures: Iterable[Given] | Given,
        *,
        threshold: float | None = None,
        top: int | None = None,
    ) -> AsyncGenerator[Picture, None]:
        """The vehicles on each picture, each classified, in the order of the pictures.

        Args:
            pictures: What to send.
            threshold: Lowest score of a detection, 0..1; None: the API's own.
            top: Classes per vehicle, 1..20; None: the API's own.

        Raises:
            UsageError: A path leads nowhere, or an option is out of its range.
            ApiError: The API is unreachable, or refuses.
        """
        return self._ask(pictures, Query("predict", threshold, top))

    async def stream(
        self, sources: Sequence[Source], query: Query
    ) -> AsyncGenerator[Answered, None]:
        """Each source with its picture, as soon as it is done, in no particular order.

        Raises:
            ApiError: The API is unreachable, or refuses.
        """
        run = await self.start(sources, query)
        try:
            while (answered := await run.next()) is not None:
                yield answered
        finally:
            await run.close()

    async def start(self, sources: Sequence[Source], query: Query) -> Run:
        """Begin to send; what `stream` is made of, for callers that can't iterate."""
        endpoint = Endpoint(self._http, query, self._retry)
        uploads = Uploads(self._http, self._bucket, self._retry)
        run = Run(endpoint, uploads, self._limits, self._jobs, may_shrink=self._may_shrink)
        await run.start(sources)
        return run

    async def _ask(
        self, pictures: Iterable[Given] | Given, query: Query
    ) -> AsyncGenerator[Picture, None]:
        sources = await asyncio.to_thread(expand, pictures)
        order = InOrder(sources)
        run = await self.start(sources, query)
        try:
            while (answered := await run.next()) is not None:
                for picture in order.add(*answered):
                    yield picture
        finally:
            await run.close()


@cache
def _certificates() -> ssl.SSLContext:
    """One for all clients: reading the authorities' certificates takes 40 ms."""
    return httpx.create_ssl_context()


def _checked(url: str) -> str:
    """The address, with the slash that makes routes go below it.

    Raises:
        UsageError: It is none.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(f"{url!r} is no address: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError(f"{url!r} is no address: it begins with http:// or https://.")
    return url.rstrip("/") + "/"
