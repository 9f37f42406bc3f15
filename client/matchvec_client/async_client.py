"""The asynchronous client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx

from matchvec_client.api import Endpoint, Query, get_json
from matchvec_client.batches import Limits
from matchvec_client.errors import UsageError
from matchvec_client.images import ChannelOrder, require_pillow
from matchvec_client.retry import Retry
from matchvec_client.run import Answered, InOrder, Run
from matchvec_client.sources import Given, Source, expand
from matchvec_client.types import Picture
from matchvec_client.uploads import Uploads

CONNECT_SECONDS = 10.0


class AsyncClient:
    """Client of the API for asyncio.

    Inputs are paths, folders, globs, URLs, bytes, binary files, PIL images, NumPy arrays and
    iterables of them (see `sources.expand`). They are sent in requests within the API's limits,
    several at once, and are sent again after transient errors. A picture that fails has an `error`
    and does not affect the others.

    Example:
        >>> async with AsyncClient("http://127.0.0.1:3000") as client:  # doctest: +SKIP
        ...     async for picture in client.predict(["photos/", "https://example.com/car.jpg"]):
        ...         print(picture.name, [found.label for found in picture.predictions])

    Args:
        url: Address of the API with its stage: ``https://example.com/Prod``.
        api_key: API key; None: the API needs none.
        jobs: Number of concurrent requests, at least 1.
        timeout: Seconds to wait for an answer; API Gateway gives up after 29.
        limits: Limits of one request.
        retry: Number of attempts and waits.
        shrink: Send pictures that are too large for a request and for the API's bucket smaller, and
            scale their boxes back; needs Pillow. Otherwise they fail with `too_large`.
        transport: Transport of the requests, for tests and special networks.

    Raises:
        UsageError: The address is invalid, or a number is out of range.
        PillowMissing: `shrink` needs Pillow.
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
        """Create the HTTP clients; send nothing."""
        if jobs < 1:
            raise UsageError(f"jobs={jobs} is out of range. Use 1 or more.")
        if not timeout > 0:
            raise UsageError(f"timeout={timeout:g} is out of range. Use more than 0 seconds.")
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise UsageError("The API key has control or non-ASCII characters. Copy it again.")
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
        # The API's bucket is another server, which must not get the key. Redirects are not
        # followed: the API names the bucket in its own region, where S3 does not redirect.
        self._bucket = httpx.AsyncClient(
            verify=_certificates(), timeout=seconds, limits=connections, transport=transport
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
        self,
        pictures: Iterable[Given] | Given,
        *,
        threshold: float | None = None,
        channel_order: ChannelOrder | None = None,
    ) -> AsyncGenerator[Picture, None]:
        """Yield the objects of each picture, in the order of the pictures.

        Args:
            pictures: Inputs; see `sources.expand`.
            threshold: Minimum detection score, 0..1; None: the API's default.
            channel_order: Channel order of NumPy arrays: "RGB", or "BGR" as in OpenCV.

        Raises:
            InputTypeError: An input has a type that is not accepted; it is a TypeError.
            UsageError: A path does not exist, or an option is out of range.
            ApiError: The API is unreachable or refuses.
        """
        return self._ask(pictures, Query("object_detection", threshold), channel_order)

    def predict(
        self,
        pictures: Iterable[Given] | Given,
        *,
        threshold: float | None = None,
        top: int | None = None,
        channel_order: ChannelOrder | None = None,
    ) -> AsyncGenerator[Picture, None]:
        """Yield the classified vehicles of each picture, in the order of the pictures.

        Args:
            pictures: Inputs; see `sources.expand`.
            threshold: Minimum detection score, 0..1; None: the API's default.
            top: Maximum number of classes per classifier, 1..20; None: the API's default.
            channel_order: Channel order of NumPy arrays: "RGB", or "BGR" as in OpenCV.

        Raises:
            InputTypeError: An input has a type that is not accepted; it is a TypeError.
            UsageError: A path does not exist, or an option is out of range.
            ApiError: The API is unreachable or refuses.
        """
        return self._ask(pictures, Query("predict", threshold, top), channel_order)

    async def health(self) -> dict[str, Any]:
        """Return the answer of ``GET /health``: the state of the models. It is asked only once.

        Raises:
            ApiError: The API is unreachable, or its models are not available.
        """
        return await get_json(self._http, "health", replace(self._retry, attempts=1))

    async def models(self) -> dict[str, Any]:
        """Return the answer of ``GET /models``: names, versions, labels and input sizes.

        Raises:
            ApiError: The API is unreachable, or its models are not available.
        """
        return await get_json(self._http, "models", self._retry)

    async def stream(
        self, sources: Sequence[Source], query: Query
    ) -> AsyncGenerator[Answered, None]:
        """Yield each source with its picture as soon as it is done, in any order.

        Raises:
            ApiError: The API is unreachable or refuses.
        """
        run = await self.start(sources, query)
        try:
            while (answered := await run.next()) is not None:
                yield answered
        finally:
            await run.close()

    async def start(self, sources: Sequence[Source], query: Query) -> Run:
        """Start sending; `stream` is easier to use where iteration is possible."""
        endpoint = Endpoint(self._http, query, self._retry)
        uploads = Uploads(self._http, self._bucket, self._retry)
        run = Run(endpoint, uploads, self._limits, self._jobs, may_shrink=self._may_shrink)
        await run.start(sources)
        return run

    async def _ask(
        self, pictures: Iterable[Given] | Given, query: Query, channel_order: ChannelOrder | None
    ) -> AsyncGenerator[Picture, None]:
        sources = await asyncio.to_thread(expand, pictures, channel_order=channel_order)
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
    """Return one context for all clients: loading the certificates takes 40 ms."""
    return httpx.create_ssl_context()


def _checked(url: str) -> str:
    """Return the address with a slash at its end, so that routes go below it.

    Raises:
        UsageError: The address is invalid.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(f"{url!r} is not an address: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError(f"{url!r} is not an address. It must begin with http:// or https://.")
    return url.rstrip("/") + "/"
