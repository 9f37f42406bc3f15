"""The API as Python functions for ordinary code."""

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
from matchvec_client.retry import Retry
from matchvec_client.run import Answered, InOrder
from matchvec_client.sources import Given, Source, expand
from matchvec_client.types import Picture

T = TypeVar("T")


class Client:
    """The API, for ordinary code; also where an event loop runs already, as in notebooks.

    The same as `AsyncClient`, which it runs in a thread of its own: pictures are sent and
    answered while your code works on those before.

    Example:
        >>> with Client("http://127.0.0.1:3000") as client:  # doctest: +SKIP
        ...     for picture in client.detect("photos/"):
        ...         print(picture.name, [found.box_xyxy for found in picture.predictions])

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
        """Start the thread; nothing is sent yet."""
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
        # A daemon: a client that nobody closes does not keep the program from ending.
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
        """End what is under way, close the connections and end the thread."""
        if self._loop.is_closed():
            return
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def detect(
        self, pictures: Iterable[Given] | Given, *, threshold: float | None = None
    ) -> Generator[Picture, None, None]:
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
    ) -> Generator[Picture, None, None]:
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

    def stream(self, sources: Sequence[Source], query: Query) -> Generator[Answered, None, None]:
        """Each source with its picture, as soon as it is done, in no particular order.

        Raises:
            ApiError: The API is unreachable, or refuses.
        """
        run = self._call(self._client.start(sources, query))
        try:
            while (answered := self._call(run.next())) is not None:
                yield answered
        finally:
            if not self._loop.is_closed():  # Closing the client has ended the run.
                self._call(run.close())

    def _ask(
        self, pictures: Iterable[Given] | Given, query: Query
    ) -> Generator[Picture, None, None]:
        sources = expand(pictures)
        order = InOrder(sources)
        for answered in self.stream(sources, query):
            yield from order.add(*answered)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            coroutine.close()
            raise UsageError("The client is closed.")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C too: nothing may wait on in the thread for nobody.
            future.cancel()
            raise

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()
