"""All pictures of a call, in several requests at once, until each has its answer or its error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from matchvec_client.api import Endpoint, Part, RequestTooLarge, final_error
from matchvec_client.attempts import Unanswered
from matchvec_client.batches import Limits, plan
from matchvec_client.errors import ApiError
from matchvec_client.shrink import CantShrink, scaled, shrink
from matchvec_client.sources import Source
from matchvec_client.types import Failure, Picture
from matchvec_client.uploads import Uploads

ROUNDS = 3
"""How often a picture is sent that fails for a reason of the moment, each time in a smaller
request."""
ROUND_FACTOR = 4
"""How many times smaller."""
ATTEMPTS_OF_HALVES = 2
"""The whole request has had all its attempts before it is halved to find what it failed of."""
MAX_FAILURES_IN_A_ROW = 5
"""Single pictures without an answer, after which it is not the pictures."""

Answered = tuple[Source, Picture]


@dataclass(frozen=True, slots=True)
class _Oversized:
    """A picture that no request takes."""

    content: bytes


@dataclass(frozen=True, slots=True)
class _Done:
    """The end of the results; `error` is what ended them early."""

    error: ApiError | Exception | None


class Run:
    """A call's pictures on their way.

    Args:
        endpoint: Takes the requests.
        uploads: Takes pictures that no request does, if the API has a bucket for them.
        limits: Of a request.
        jobs: Requests at once.
        may_shrink: Whether a picture that neither takes is sent smaller; else it is `too_large`.
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
        """Nothing is sent yet."""
        self._endpoint = endpoint
        self._uploads = uploads
        self._limits = limits
        self._jobs = jobs
        self._may_shrink = may_shrink
        # Bounded: who is slow to take results is not ahead of by more than a few requests.
        self._results: asyncio.Queue[Answered | _Done] = asyncio.Queue(4 * limits.pictures)
        self._later: list[Source] = []
        self._is_last_round = False
        self._failures_in_a_row = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self, sources: Sequence[Source]) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._all(sources))

    async def next(self) -> Answered | None:
        """The next picture that is done, in no particular order; None after the last one.

        Raises:
            ApiError: The run has ended early.
        """
        result = await self._results.get()
        if not isinstance(result, _Done):
            return result
        if result.error:
            raise result.error
        return None

    async def close(self) -> None:
        """End what is still under way."""
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
        except Exception as reason:  # `next` raises it where the caller is.
            error = reason
        await self._results.put(_Done(error))

    async def _round(self, batches: Iterator[tuple[Source, ...]]) -> None:
        async def work() -> None:
            for batch in batches:  # Shared: whoever is free takes the next one.
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
        """A picture as it is sent: in the request, in the bucket, or shrunk.

        Raises:
            Unanswered: The bucket, or the API asked for it, fails with this picture.
            ApiError: The API is unreachable, or refuses.
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
        message = f"The picture has {size:.1f} MB, a request takes {limit:.1f} MB"
        message = place.message if place else message
        if not self._may_shrink:
            return Failure("too_large", f"{message}: shrink it first, or let the client do it.")
        return await asyncio.to_thread(self._shrunk, source, part.content, message)

    def _read(self, source: Source) -> Part | _Oversized | Failure:
        if source.is_url:
            return Part(source, None)
        try:
            content = source.content if source.path is None else source.path.read_bytes()
        except OSError as error:
            return Failure("unreadable", f"The file can't be read: {error.strerror}.")
        if content is None or len(content) <= self._limits.picture_bytes:
            return Part(source, content)
        return _Oversized(content)

    def _shrunk(self, source: Source, content: bytes, reason: str) -> Part | Failure:
        try:
            return Part(source, *shrink(content, self._limits.picture_bytes))
        except CantShrink as error:
            return Failure("too_large", f"{reason}, and it can't be shrunk: {error}")

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
        await self._results.put((part.source, picture))

    async def _lose(self, source: Source, error: Unanswered) -> None:
        """Give a single picture up; where one after the other has to be, it is not the pictures."""
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise final_error(error) from error
        await self._fail(source, Failure(error.code, str(error)))

    async def _fail(self, source: Source, failure: Failure) -> None:
        await self._results.put((source, replace(Picture(source.name), error=failure)))


class InOrder:
    """Puts pictures that are done back into the order of their sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Begin with the first one."""
        self._positions = {id(source): position for position, source in enumerate(sources)}
        self._waiting: dict[int, Picture] = {}
        self._next = 0

    def add(self, source: Source, picture: Picture) -> list[Picture]:
        """The pictures whose turn has come now."""
        self._waiting[self._positions[id(source)]] = picture
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        return ready
