"""A request's parts -> one result per part, in order, whatever happens to any of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded, PartError, PartFailed, UrlNotAnImage, UrlTimeout
from gateway.fetch import Fetcher
from gateway.parts import FormFile, Part, S3Field, UrlField
from gateway.upload_bucket import SCHEME, NoUploadBucket, Source, UploadBucket
from gateway.urls import describe_url
from inference.decoding.source import ImageSource
from inference.errors import ImageTooLarge, NotAnImage, PictureError, is_out_of_memory

Predict = Callable[[ImageSource], Any]
"""A picture -> its element of the answer."""

GRACE_SECONDS = 0.5
"""How much longer than the fetcher's limit a fetch is waited for, so that its own error comes
first and says more."""

LARGE_PIXELS = 4_000_000
"""Pixels from which a picture itself may be why memory runs out: 12 MB, and its copies."""

logger = logging.getLogger("matchvec")


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds that a part took."""

    fetch: float = 0.0
    decode: float = 0.0
    inference: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one part.

    Attributes:
        part: The part.
        predictions: Its element of the answer, [] where it failed.
        size_wh: Width and height of the upright picture; None where it was not decoded.
        error: Why it failed, None where it did not.
        timing: How long it took.
        content: The picture's file; None where there is none.
    """

    part: Part
    predictions: Any
    size_wh: tuple[int, int] | None
    error: PartError | PictureError | None
    timing: Timing
    content: bytes | None = None

    def details_json(self) -> dict[str, Any]:
        """The element that ``details=true`` asks for."""
        error = self.error
        return {
            **_part_details(self.part),
            "width": self.size_wh[0] if self.size_wh else None,
            "height": self.size_wh[1] if self.size_wh else None,
            "predictions": self.predictions,
            "error": {"code": error.code, "message": error.message} if error else None,
            "timing_ms": {
                "fetch": round(self.timing.fetch, 1),
                "decode": round(self.timing.decode, 1),
                "inference": round(self.timing.inference, 1),
            },
        }


@dataclass(frozen=True, slots=True)
class Arrival:
    """A part's file, or why there is none.

    Attributes:
        position: The part's place in the request.
        content: The file, or the error.
        fetch_ms: How long fetching it took.
    """

    position: int
    content: bytes | PartError
    fetch_ms: float = 0.0


class TimeBudget:
    """How long the pictures of a request take, to tell which ones can't be done in time.

    Args:
        deadline: Of the request.
    """

    def __init__(self, deadline: Deadline) -> None:
        """Know of no picture yet."""
        self.deadline = deadline
        self._slowest_ms = 0.0

    @property
    def is_late(self) -> bool:
        """Whether there is less time left than the slowest picture so far took."""
        return self.deadline.remaining <= self._slowest_ms / 1000

    def note(self, timing: Timing) -> None:
        """Take a picture's times into account."""
        self._slowest_ms = max(self._slowest_ms, timing.decode + timing.inference)


class PictureService:
    """Answers the parts of a request.

    Args:
        fetcher: For urls.
        max_pixels: Of one picture.
        max_urls: How many are fetched side by side.
        workers: How many pictures are worked on side by side: one per core.
        uploads: For what was sent to the stack's bucket; None: there is none.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        max_pixels: int,
        max_urls: int,
        workers: int = 1,
        uploads: UploadBucket | None = None,
    ) -> None:
        """Make the pools of threads, which start when they are needed."""
        self._fetcher = fetcher
        self._uploads = uploads or NoUploadBucket()
        self._max_pixels = max_pixels
        # One pool for all requests: a thread that hangs in a name look-up can't be ended, so
        # there must be a limit to how many do.
        self._fetches = ThreadPoolExecutor(max(1, 2 * max_urls), thread_name_prefix="fetch")
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="picture")

    def answer(self, parts: Sequence[Part], predict: Predict, deadline: Deadline) -> list[Result]:
        """One result per part, in order.

        Urls are fetched side by side while the uploads are worked on, then worked on as they
        arrive. A picture is begun only while there is as much time left as the slowest one so
        far took; the rest is `deadline_exceeded`, so that what is ready gets out before the
        gateway gives up.
        """
        pace = TimeBudget(deadline)
        jobs = {
            arrival.position: self._workers.submit(
                self._answer_one, parts[arrival.position], arrival, predict, pace
            )
            for arrival in self._arrivals(parts, deadline)
        }
        return [jobs[position].result() for position in range(len(parts))]

    def _arrivals(self, parts: Sequence[Part], deadline: Deadline) -> Iterator[Arrival]:
        """Every part once: the uploads, then the urls as they arrive."""
        uploads = self._uploads.reader()
        fetches = {
            self._fetches.submit(
                _timed_fetch, uploads if _is_s3(part) else self._fetcher, part.url, deadline
            ): position
            for position, part in enumerate(parts)
            if not isinstance(part, FormFile)
        }
        # The fetcher's own limit, once more: it can't interrupt the system's name look-up.
        fetch_deadline = deadline.earlier(self._fetcher.timeout_seconds + GRACE_SECONDS)
        for position, part in enumerate(parts):
            if isinstance(part, FormFile):
                yield Arrival(position, part.error or part.content)
        pending = set(fetches)
        while pending:
            done, pending = wait(pending, fetch_deadline.remaining, FIRST_COMPLETED)
            for fetch in sorted(done, key=fetches.__getitem__):
                yield _arrival(fetches[fetch], fetch)
            if not done:
                for fetch in sorted(pending, key=fetches.__getitem__):
                    fetch.cancel()
                    yield Arrival(fetches[fetch], UrlTimeout("The url did not deliver in time."))
                return

    def _answer_one(
        self, part: Part, arrival: Arrival, predict: Predict, pace: TimeBudget
    ) -> Result:
        content = arrival.content
        if isinstance(content, PartError):
            return Result(part, [], None, content, Timing(arrival.fetch_ms))
        source = ImageSource(content, self._max_pixels)
        predictions: Any = []
        error: PartError | PictureError | None = None
        start = time.perf_counter()
        try:
            if pace.is_late:
                raise DeadlineExceeded(
                    "The time limit of a request came before this picture's turn: "
                    "send fewer pictures in one request."
                )
            predictions = predict(source)
        except Exception as failure:  # Whatever is wrong with one, its neighbours are answered.
            error = _explained(failure, part, arrival.position, source)
        total_ms = (time.perf_counter() - start) * 1000
        timing = Timing(arrival.fetch_ms, source.decode_ms, max(0.0, total_ms - source.decode_ms))
        pace.note(timing)
        return Result(part, predictions, source.size_wh, error, timing, content)


def _explained(
    failure: Exception, part: Part, position: int, source: ImageSource
) -> PartError | PictureError:
    """Return the error of a failed part for its client; called while the failure is handled."""
    if isinstance(failure, PartError | PictureError):
        # Clear the tracebacks: their frames keep the pixels in memory, in a reference cycle, so
        # the next picture would lack that memory until the garbage collector runs.
        failure.__traceback__ = failure.__cause__ = failure.__context__ = None
        if isinstance(failure, NotAnImage) and isinstance(part, UrlField):
            return UrlNotAnImage(f"The url was fetched. {failure.message}")
        return failure
    logger.exception("part %d failed", position)
    width, height = source.size_wh or (0, 0)
    if is_out_of_memory(failure) and width * height >= LARGE_PIXELS:
        return ImageTooLarge("The picture needs more memory than is available. Scale it down.")
    return PartFailed("Something went wrong on our side with this picture.")


def _part_details(part: Part) -> dict[str, str | None]:
    if isinstance(part, FormFile):
        return {"field": part.field, "filename": part.filename}
    field = "s3" if isinstance(part, S3Field) else "url"
    return {"field": field, "filename": describe_url(part.url)}


def _is_s3(part: UrlField | S3Field) -> bool:
    return isinstance(part, S3Field) or part.url.startswith(SCHEME)


def _arrival(position: int, fetch: Future[tuple[bytes, float]]) -> Arrival:
    try:
        content, fetch_ms = fetch.result()
    except PartError as error:
        return Arrival(position, error)
    except Exception:  # As for pictures: one url's fault is not the others'.
        logger.exception("fetch of part %d failed", position)
        return Arrival(position, PartFailed("Something went wrong on our side with this url."))
    return Arrival(position, content, fetch_ms)


def _timed_fetch(source: Source, url: str, deadline: Deadline) -> tuple[bytes, float]:
    """A url's file, and the milliseconds that it took."""
    start = time.perf_counter()
    content = source.fetch(url, deadline)
    return content, (time.perf_counter() - start) * 1000
