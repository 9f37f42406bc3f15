"""The synchronous client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from matchvec_client.api import Query
from matchvec_client.async_client import AsyncClient
from matchvec_client.batches import Limits
from matchvec_client.errors import UsageError
from matchvec_client.images import ChannelOrder
from matchvec_client.retry import Retry
from matchvec_client.run import Answered, InOrder
from matchvec_client.sources import Given, Source, expand
from matchvec_client.types import Picture

T = TypeVar("T")


class Client:
    """Client of the API for code without asyncio; it also works in notebooks.

    It runs an `AsyncClient` in a thread of its own: pictures are sent and answered while your code
    works on earlier ones.

    Example:
        >>> with Client("http://127.0.0.1:3000") as client:  # doctest: +SKIP
        ...     for picture in client.detect("photos/"):
        ...         print(picture.name, [found.box_xyxy for found in picture.predictions])

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
        """Start the thread; send nothing."""
        self._client = AsyncClient(
            url,
            api_key=api_key,
            jobs=jobs,
            timeout=timeout,
            limits=limits,
            retry=retry,
            shrink=shrink,
            transport=transport,
        )
        self._loop = asyncio.new_event_loop()
        # A daemon thread does not keep the program alive when a client is never closed.
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="matchvec-client", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel the requests in progress, close the connections and stop the thread."""
        if self._loop.is_closed():
            return
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def detect(
        self,
        pictures: Iterable[Given] | Given,
        *,
        threshold: float | None = None,
        channel_order: ChannelOrder | None = None,
    ) -> Generator[Picture, None, None]:
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
    ) -> Generator[Picture, None, None]:
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

    def health(self) -> dict[str, Any]:
        """Return the answer of ``GET /health``: the state of the models. It is asked only once.

        Raises:
            ApiError: The API is unreachable, or its models are not available.
        """
        return self._call(self._client.health())

    def models(self) -> dict[str, Any]:
        """Return the answer of ``GET /models``: names, versions, labels and input sizes.

        Raises:
            ApiError: The API is unreachable, or its models are not available.
        """
        return self._call(self._client.models())

    def stream(self, sources: Sequence[Source], query: Query) -> Generator[Answered, None, None]:
        """Yield each source with its picture as soon as it is done, in any order.

        Raises:
            ApiError: The API is unreachable or refuses.
        """
        run = self._call(self._client.start(sources, query))
        try:
            while (answered := self._call(run.next())) is not None:
                yield answered
        finally:
            if not self._loop.is_closed():  # Closing the client has ended the run.
                self._call(run.close())

    def _ask(
        self, pictures: Iterable[Given] | Given, query: Query, channel_order: ChannelOrder | None
    ) -> Generator[Picture, None, None]:
        sources = expand(pictures, channel_order=channel_order)
        order = InOrder(sources)
        for answered in self.stream(sources, query):
            yield from order.add(*answered)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            coroutine.close()
            raise UsageError("The client is closed. Create another one.")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C too: the coroutine must not continue in the thread.
            future.cancel()
            raise

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()
