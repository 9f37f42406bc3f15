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
from gateway.parts import Part, Upload, UrlField
from gateway.urls import describe_url
from inference.errors import ImageTooLarge, NotAnImage, PictureError
from inference.types import ImageRGB
from service.decoder import shared_decoder

Predict = Callable[[ImageRGB], Any]
"""A decoded picture -> its element of the answer."""

GRACE_SECONDS = 0.5
"""How much longer than the fetcher's limit a fetch is waited for, so that its own error comes
first and says more."""

NO_MEMORY = ("Insufficient memory", "std::bad_alloc", "Failed to allocate memory")
"""What errors of OpenCV and onnxruntime say where Python's own are a MemoryError."""

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

    def as_details(self) -> dict[str, Any]:
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


class PictureService:
    """Answers the parts of a request.

    Args:
        fetcher: For urls.
        max_pixels: Of one picture.
        max_urls: How many are fetched side by side.
    """

    def __init__(self, fetcher: Fetcher, max_pixels: int, max_urls: int) -> None:
        """Make the pool of fetching threads, which start when they are needed."""
        self._fetcher = fetcher
        self._max_pixels = max_pixels
        self._decoder = shared_decoder()
        # One pool for all requests: a thread that hangs in a name look-up can't be ended, so
        # there must be a limit to how many do.
        self._pool = ThreadPoolExecutor(max(1, 2 * max_urls), thread_name_prefix="fetch")

    def answer(self, parts: Sequence[Part], predict: Predict, deadline: Deadline) -> list[Result]:
        """One result per part, in order.

        Urls are fetched side by side while the uploads are worked on, then worked on as they
        arrive. A picture is begun only while there is as much time left as the slowest one so
        far took; the rest is `deadline_exceeded`, so that what is ready gets out before the
        gateway gives up.
        """
        results: dict[int, Result] = {}
        slowest_ms = 0.0
        for arrival in self._arrivals(parts, deadline):
            is_late = deadline.remaining <= slowest_ms / 1000
            part = parts[arrival.position]
            result = self._answer_one(part, arrival, predict, deadline, is_late=is_late)
            slowest_ms = max(slowest_ms, result.timing.decode + result.timing.inference)
            results[arrival.position] = result
        return [results[position] for position in range(len(parts))]

    def _arrivals(self, parts: Sequence[Part], deadline: Deadline) -> Iterator[Arrival]:
        """Every part once: the uploads, then the urls as they arrive."""
        fetches = {
            self._pool.submit(_timed, self._fetcher.fetch, part.url, deadline): position
            for position, part in enumerate(parts)
            if isinstance(part, UrlField)
        }
        # The fetcher's own limit, once more: it can't interrupt the system's name look-up.
        fetch_deadline = deadline.earlier(self._fetcher.timeout_seconds + GRACE_SECONDS)
        for position, part in enumerate(parts):
            if isinstance(part, Upload):
                yield Arrival(position, part.content)
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
        self,
        part: Part,
        arrival: Arrival,
        predict: Predict,
        deadline: Deadline,
        *,
        is_late: bool,
    ) -> Result:
        decode_ms = inference_ms = 0.0
        size_wh = None
        predictions: Any = []
        error: PartError | PictureError | None = None
        try:
            if isinstance(arrival.content, PartError):
                raise arrival.content
            if is_late:
                raise DeadlineExceeded(
                    "The time limit of a request came before this picture's turn: "
                    "send fewer pictures in one request."
                )
            image_rgb, decode_ms = _timed(self._decode, part, arrival.content, deadline)
            size_wh = (image_rgb.shape[1], image_rgb.shape[0])
            predictions, inference_ms = _timed(predict, image_rgb)
        except Exception as failure:  # Whatever is wrong with one, its neighbours are answered.
            error = _explained(failure, arrival.position)
        timing = Timing(arrival.fetch_ms, decode_ms, inference_ms)
        content = None if isinstance(arrival.content, PartError) else arrival.content
        return Result(part, predictions, size_wh, error, timing, content)

    def _decode(self, part: Part, content: bytes, deadline: Deadline) -> ImageRGB:
        try:
            return self._decoder(content, max_pixels=self._max_pixels, deadline=deadline)
        except NotAnImage as error:
            if isinstance(part, UrlField):
                raise UrlNotAnImage(f"The url was fetched. {error.message}") from error
            raise


def _explained(failure: Exception, position: int) -> PartError | PictureError:
    """Why a part failed, as its client is told; called while the failure is handled."""
    if isinstance(failure, PartError | PictureError):
        # Its tracebacks hold the picture, and by way of the caller's frame themselves: the next
        # picture would need memory that is free only once the garbage collector has come.
        failure.__traceback__ = failure.__cause__ = failure.__context__ = None
        return failure
    if isinstance(failure, MemoryError) or any(text in str(failure) for text in NO_MEMORY):
        return ImageTooLarge("The picture needs more memory than there is: scale it down.")
    logger.exception("part %d failed", position)
    return PartFailed("Something went wrong on our side with this picture.")


def _part_details(part: Part) -> dict[str, str | None]:
    if isinstance(part, Upload):
        return {"field": "image", "filename": part.filename}
    return {"field": "url", "filename": describe_url(part.url)}


def _arrival(position: int, fetch: Future[tuple[bytes, float]]) -> Arrival:
    try:
        content, fetch_ms = fetch.result()
    except PartError as error:
        return Arrival(position, error)
    except Exception:  # As for pictures: one url's fault is not the others'.
        logger.exception("fetch of part %d failed", position)
        return Arrival(position, PartFailed("Something went wrong on our side with this url."))
    return Arrival(position, content, fetch_ms)


def _timed(call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:  # noqa: ANN401
    """A call's result and the milliseconds that it took."""
    start = time.perf_counter()
    result = call(*arguments)
    return result, (time.perf_counter() - start) * 1000
