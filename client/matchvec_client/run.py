"""The pictures of one call, sent in concurrent requests until each has an answer or an error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from matchvec_client.api import Endpoint, Part, RequestTooLarge, final_error
from matchvec_client.attempts import Unanswered
from matchvec_client.batches import Limits, plan
from matchvec_client.errors import ApiError
from matchvec_client.images import CannotDecode
from matchvec_client.shrink import scaled, shrink
from matchvec_client.sources import Source
from matchvec_client.types import Failure, Picture
from matchvec_client.uploads import Uploads

ROUNDS = 3
"""Number of times that a picture with a transient error is sent, each time in a smaller request."""
ROUND_FACTOR = 4
"""Factor by which the next round's requests are smaller."""
ATTEMPTS_OF_HALVES = 2
"""Attempts of half a request; the whole one already had all its attempts."""
MAX_FAILURES_IN_A_ROW = 5
"""Consecutive failures of single pictures after which the API itself is considered down."""

Answered = tuple[Source, Picture]


@dataclass(frozen=True, slots=True)
class _Oversized:
    """A picture that is too large for a request."""

    content: bytes


@dataclass(frozen=True, slots=True)
class _Done:
    """End of the results; `error` is the reason for an early end."""

    error: ApiError | Exception | None


class Run:
    """The pictures of one call.

    Args:
        endpoint: Sends the requests.
        uploads: Uploads pictures that are too large for a request.
        limits: Limits of one request.
        jobs: Number of concurrent requests.
        may_shrink: Reduce pictures that are too large for the bucket; otherwise they fail.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        uploads: Uploads,
        limits: Limits,
        jobs: int,
        *,
        may_shrink: bool,
    ) -> None:
        """Store the arguments; send nothing."""
        self._endpoint = endpoint
        self._uploads = uploads
        self._limits = limits
        self._jobs = jobs
        self._may_shrink = may_shrink
        # The queue is bounded, so a slow consumer throttles the senders.
        self._results: asyncio.Queue[Answered | _Done] = asyncio.Queue(4 * limits.pictures)
        self._later: list[Source] = []
        self._is_last_round = False
        self._failures_in_a_row = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self, sources: Sequence[Source]) -> None:
        """Start sending."""
        self._task = asyncio.create_task(self._all(sources))

    async def next(self) -> Answered | None:
        """Return the next completed picture, in any order; None after the last one.

        Raises:
            ApiError: The run ended early.
        """
        result = await self._results.get()
        if not isinstance(result, _Done):
            return result
        if result.error:
            raise result.error
        return None

    async def close(self) -> None:
        """Cancel the requests in progress."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _all(self, sources: Sequence[Source]) -> None:
        error: Exception | None = None
        try:
            limits = self._limits
            for number in range(1, ROUNDS + 1):
                self._is_last_round = number == ROUNDS
                self._later = []
                await self._round(plan(sources, limits))
                sources, limits = self._later, limits.fewer(ROUND_FACTOR)
        except Exception as reason:  # `next` raises it in the caller's task.
            error = reason
        await self._results.put(_Done(error))

    async def _round(self, batches: Iterator[tuple[Source, ...]]) -> None:
        async def work() -> None:
            for batch in batches:  # All workers share the iterator.
                await self._answer(batch)

        workers = [asyncio.create_task(work()) for _ in range(self._jobs)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _answer(self, batch: Sequence[Source]) -> None:
        parts = []
        for source in batch:
            try:
                part = await self._part(source)
            except Unanswered as error:
                await self._lose(source, error)
                continue
            if isinstance(part, Failure):
                await self._fail(source, part)
            else:
                parts.append(part)
        if parts:
            await self._send(parts)

    async def _part(self, source: Source) -> Part | Failure:
        """Prepare a picture: in the request, in the bucket, or reduced.

        Raises:
            Unanswered: The bucket fails with this picture.
            ApiError: The API is unreachable or refuses.
        """
        part = await asyncio.to_thread(self._read, source)
        if not isinstance(part, _Oversized):
            return part
        place = await self._uploads.put(part.content)
        if isinstance(place, str):
            return Part(source, None, s3=place)
        if place and place.code != "too_large":
            return place
        size, limit = len(part.content) / 1e6, self._limits.picture_bytes / 1e6
        message = f"The picture has {size:.1f} MB; a request accepts {limit:.1f} MB."
        message = place.message if place else message
        if not self._may_shrink:
            return Failure("too_large", f"{message} Send it smaller with --shrink or shrink=True.")
        return await asyncio.to_thread(self._shrunk, source, part.content, message)

    def _read(self, source: Source) -> Part | _Oversized | Failure:
        if source.is_url:
            return Part(source, None)
        try:
            content = source.content if source.path is None else source.path.read_bytes()
        except OSError as error:
            return Failure("unreadable", f"The file cannot be read: {error.strerror}.")
        if content is None or len(content) <= self._limits.picture_bytes:
            return Part(source, content)
        return _Oversized(content)

    def _shrunk(self, source: Source, content: bytes, reason: str) -> Part | Failure:
        try:
            return Part(source, *shrink(content, self._limits.picture_bytes))
        except CannotDecode as error:
            return Failure("too_large", f"{reason} It cannot be reduced: {error}")

    async def _send(self, parts: Sequence[Part], attempts: int | None = None) -> None:
        try:
            pictures = await self._endpoint.post(parts, attempts)
        except RequestTooLarge as error:
            if len(parts) == 1:
                await self._fail(parts[0].source, Failure("too_large", str(error)))
            else:
                await self._halves(parts, attempts)
            return
        except Unanswered as error:
            if len(parts) > 1:
                await self._halves(parts, ATTEMPTS_OF_HALVES)
                return
            await self._lose(parts[0].source, error)
            return
        self._failures_in_a_row = 0
        for part, picture in zip(parts, pictures, strict=True):
            await self._keep(part, picture)

    async def _halves(self, parts: Sequence[Part], attempts: int | None) -> None:
        middle = len(parts) // 2
        await self._send(parts[:middle], attempts)
        await self._send(parts[middle:], attempts)

    async def _keep(self, part: Part, picture: Picture) -> None:
        if picture.error and picture.error.is_transient and not self._is_last_round:
            self._later.append(part.source)
            return
        if part.upright_wh:
            picture = scaled(picture, part.upright_wh)
        await self._results.put((part.source, replace(picture, source=part.source)))

    async def _lose(self, source: Source, error: Unanswered) -> None:
        """Report a picture without answer; several in a row mean that the API is down."""
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise final_error(error) from error
        await self._fail(source, Failure(error.code, str(error)))

    async def _fail(self, source: Source, failure: Failure) -> None:
        await self._results.put((source, Picture(source.name, error=failure, source=source)))


class InOrder:
    """Restores the order of the sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Start at the first source."""
        self._positions = {id(source): position for position, source in enumerate(sources)}
        self._waiting: dict[int, Picture] = {}
        self._next = 0

    def add(self, source: Source, picture: Picture) -> list[Picture]:
        """Return the pictures that are next in order."""
        self._waiting[self._positions[id(source)]] = picture
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        return ready
