"""A request's parts -> one result per part, in order, whatever happens to any of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded, PartError, UrlNotAnImage, UrlTimeout
from gateway.fetch import Fetcher, describe_url
from gateway.parts import Part, Upload, UrlField
from inference.errors import NotAnImage, PictureError
from inference.image import decode
from inference.types import ImageRGB

Predict = Callable[[ImageRGB], Any]
"""A decoded picture -> its element of the answer."""

Source = Callable[[], tuple[bytes, float]]
"""-> a part's file and the milliseconds that fetching it took; raises `PartError`."""


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
    """

    part: Part
    predictions: Any
    size_wh: tuple[int, int] | None
    error: PartError | PictureError | None
    timing: Timing

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
class PictureService:
    """Answers the parts of a request.

    Attributes:
        fetcher: For urls.
        max_pixels: Of one picture.
        max_urls: How many are fetched side by side.
    """

    fetcher: Fetcher
    max_pixels: int
    max_urls: int

    def answer(self, parts: Sequence[Part], predict: Predict, deadline: Deadline) -> list[Result]:
        """One result per part, in order.

        Urls are fetched side by side from the start. A picture is begun only while there is as
        much time left as the slowest one so far took; the rest is `deadline_exceeded`, so that
        what is ready gets out before the gateway gives up.
        """
        pool = ThreadPoolExecutor(max_workers=max(1, self.max_urls), thread_name_prefix="fetch")
        try:
            sources = [self._open(part, pool, deadline) for part in parts]
            results: list[Result] = []
            slowest_ms = 0.0
            for part, source in zip(parts, sources, strict=True):
                result = self._answer_one(part, source, predict, deadline, slowest_ms / 1000)
                slowest_ms = max(slowest_ms, result.timing.decode + result.timing.inference)
                results.append(result)
            return results
        finally:
            # A fetch that hangs in a name look-up must not hold the answer back.
            pool.shutdown(wait=False, cancel_futures=True)

    def _open(self, part: Part, pool: ThreadPoolExecutor, deadline: Deadline) -> Source:
        """Start what a part needs to be there; calling the source waits for it."""
        if isinstance(part, Upload):
            content = part.content
            return lambda: (content, 0.0)
        fetch = pool.submit(_timed, self.fetcher.fetch, part.url, deadline)
        return partial(_wait, fetch, deadline)

    def _answer_one(
        self,
        part: Part,
        source: Source,
        predict: Predict,
        deadline: Deadline,
        needed_seconds: float,
    ) -> Result:
        fetch_ms = decode_ms = inference_ms = 0.0
        size_wh = None
        predictions: Any = []
        error: PartError | PictureError | None = None
        try:
            content, fetch_ms = source()
            if deadline.remaining <= needed_seconds:
                raise DeadlineExceeded(
                    "The time limit of a request came before this picture's turn: "
                    "send fewer pictures in one request."
                )
            image_rgb, decode_ms = _timed(self._decode, part, content)
            size_wh = (image_rgb.shape[1], image_rgb.shape[0])
            predictions, inference_ms = _timed(predict, image_rgb)
        except (PartError, PictureError) as failure:
            error = failure
        timing = Timing(fetch_ms, decode_ms, inference_ms)
        return Result(part, predictions, size_wh, error, timing)

    def _decode(self, part: Part, content: bytes) -> ImageRGB:
        try:
            return decode(content, max_pixels=self.max_pixels)
        except NotAnImage as error:
            if isinstance(part, UrlField):
                raise UrlNotAnImage(f"The url was fetched. {error.message}") from error
            raise


def _part_details(part: Part) -> dict[str, str | None]:
    if isinstance(part, Upload):
        return {"field": "image", "filename": part.filename}
    return {"field": "url", "filename": describe_url(part.url)}


def _wait(fetch: Future[tuple[bytes, float]], deadline: Deadline) -> tuple[bytes, float]:
    try:
        return fetch.result(timeout=deadline.remaining)
    except TimeoutError as error:
        raise UrlTimeout("The url did not deliver before the request's time limit.") from error


def _timed(call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:  # noqa: ANN401
    """A call's result and the milliseconds that it took."""
    start = time.perf_counter()
    result = call(*arguments)
    return result, (time.perf_counter() - start) * 1000
