"""Processes the parts of a request side by side: one result per part, in order.

The failure of one part never affects the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded, PartError, PartFailed, UrlNotAnImage, UrlTimeout
from gateway.fetch import Fetcher
from gateway.parts import FormFile, Part, S3Field, UrlField
from gateway.upload_bucket import SCHEME, NoUploadBucket, Source, UploadBucket
from inference.budget import RequestBudget
from inference.decoding.source import ImageSource
from inference.errors import ImageTooLarge, NotAnImage, PictureError, is_out_of_memory
from service.results import PictureAnswer, Result, Timing

PictureFunction = Callable[[ImageSource], PictureAnswer]
"""Computes the answer for one picture."""

GRACE_SECONDS = 0.5
"""Seconds that a download may exceed its own timeout, so that its more specific error comes first.
The fetcher can't interrupt a name lookup."""

READ_THREADS = 8
"""Uploads that are read from the bucket at the same time."""

LARGE_PIXELS = 4_000_000
"""Pixels above which a picture itself may exhaust the memory: 12 MB, and copies of it."""

logger = logging.getLogger("matchvec")


@dataclass(frozen=True, slots=True)
class PartContent:
    """Content of a part, once it is there.

    Attributes:
        position: Index of the part in the request.
        content: File, or the error of its download.
        fetch_ms: Milliseconds of the download.
    """

    position: int
    content: bytes | PartError
    fetch_ms: float = 0.0


class TimeBudget:
    """Time left for the pictures of a request.

    Args:
        deadline: Deadline of the request.
    """

    def __init__(self, deadline: Deadline) -> None:
        """Start without a measured picture."""
        self._deadline = deadline
        self._slowest_ms = 0.0

    @property
    def is_used_up(self) -> bool:
        """True if the time left is at most that of the slowest picture so far."""
        return self._deadline.remaining <= self._slowest_ms / 1000

    def record(self, timing: Timing) -> None:
        """Record the time that a picture took."""
        self._slowest_ms = max(self._slowest_ms, timing.decode + timing.inference)


class PictureService:
    """Fetches, decodes and processes pictures in threads.

    Args:
        fetcher: Downloads urls.
        max_pixels: Pixels of the largest picture that is decoded.
        max_urls: Urls of one request, which are downloaded at the same time.
        workers: Pictures that are processed at the same time: one per core.
        uploads: Bucket that clients upload pictures to; None if there is none.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        max_pixels: int,
        max_urls: int,
        workers: int = 1,
        uploads: UploadBucket | None = None,
    ) -> None:
        """Create the thread pools. Their threads start when they are needed."""
        self._fetcher = fetcher
        self._uploads = uploads or NoUploadBucket()
        self._max_pixels = max_pixels
        # One pool for all requests bounds the threads that hang in a name lookup: a lookup can't
        # be interrupted. The bucket has threads of its own, which no url can keep busy.
        self._downloads = ThreadPoolExecutor(max(1, 2 * max_urls), thread_name_prefix="fetch")
        self._reads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="s3")
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="picture")

    def answer(
        self,
        parts: Sequence[Part],
        compute: PictureFunction,
        deadline: Deadline,
        work_budget: RequestBudget | None = None,
    ) -> list[Result]:
        """Return one result per part, in order.

        Files in the request are processed first, while the urls download. A picture is started
        only if the time left exceeds that of the slowest picture so far; the others fail with
        `deadline_exceeded`, so that the finished ones are answered in time.

        Args:
            parts: Parts of the request.
            compute: Computes the answer for a picture.
            deadline: Time at which all results must be ready.
            work_budget: Work that the request may cause; None for no limit.
        """
        time_budget = TimeBudget(deadline)
        if work_budget:
            files = [part for part in parts if isinstance(part, FormFile) and not part.error]
            work_budget.expect(len(files) + sum(not isinstance(part, FormFile) for part in parts))
            work_budget.add_bytes(sum(len(part.content) for part in files))
        jobs: dict[int, Future[Result]] = {}
        for each in self._contents(parts, deadline):
            part = parts[each.position]
            if work_budget and not isinstance(part, FormFile):
                _take_download(each, work_budget)
            jobs[each.position] = self._workers.submit(
                self._process, part, each, compute, time_budget, work_budget
            )
        return [jobs[position].result() for position in range(len(parts))]

    def _contents(self, parts: Sequence[Part], deadline: Deadline) -> Iterator[PartContent]:
        """Yield the content of every part: files first, then urls as their downloads end."""
        uploads = self._uploads.reader()
        downloads = {
            (
                self._reads.submit(_download, uploads, part.url, deadline)
                if _is_upload(part)
                else self._downloads.submit(_download, self._fetcher, part.url, deadline)
            ): position
            for position, part in enumerate(parts)
            if not isinstance(part, FormFile)
        }
        fetch_deadline = deadline.earlier(self._fetcher.timeout_seconds + GRACE_SECONDS)
        for position, part in enumerate(parts):
            if isinstance(part, FormFile):
                yield PartContent(position, part.error or part.content)
        pending = set(downloads)
        while pending:
            done, pending = wait(pending, fetch_deadline.remaining, FIRST_COMPLETED)
            for download in sorted(done, key=downloads.__getitem__):
                yield _downloaded(downloads[download], download)
            if not done:
                for download in sorted(pending, key=downloads.__getitem__):
                    download.cancel()
                    timeout = UrlTimeout("The url did not deliver in time.")
                    yield PartContent(downloads[download], timeout)
                return

    def _process(
        self,
        part: Part,
        arrived: PartContent,
        compute: PictureFunction,
        time_budget: TimeBudget,
        work_budget: RequestBudget | None,
    ) -> Result:
        content = arrived.content
        if isinstance(content, PartError):
            return Result(part, error=content, timing=Timing(arrived.fetch_ms))
        if work_budget:
            work_budget.start()
        source = ImageSource(content, self._max_pixels, work_budget)
        answer: PictureAnswer | None = None
        error: PartError | PictureError | None = None
        start = time.perf_counter()
        try:
            if time_budget.is_used_up:
                raise DeadlineExceeded(
                    "The time limit of the request was reached before this picture. "
                    "Send fewer pictures per request."
                )
            answer = compute(source)
        except Exception as failure:  # The other pictures are still processed.
            error = _client_error(failure, part, arrived.position, source)
        total_ms = (time.perf_counter() - start) * 1000
        inference_ms = max(0.0, total_ms - source.decode_ms)
        timing = Timing(arrived.fetch_ms, source.decode_ms, inference_ms)
        time_budget.record(timing)
        return Result(part, answer, source.size_wh, error, timing)


def _client_error(
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


def _take_download(arrived: PartContent, work_budget: RequestBudget) -> None:
    """Allow the time of a file that was downloaded; a failed download needs none."""
    if isinstance(arrived.content, PartError):
        work_budget.start()
    else:
        work_budget.add_bytes(len(arrived.content))


def _is_upload(part: UrlField | S3Field) -> bool:
    return isinstance(part, S3Field) or part.url.startswith(SCHEME)


def _download(source: Source, url: str, deadline: Deadline) -> tuple[bytes, float]:
    """Return a url's file and the milliseconds of its download."""
    start = time.perf_counter()
    content = source.fetch(url, deadline)
    return content, (time.perf_counter() - start) * 1000


def _downloaded(position: int, download: Future[tuple[bytes, float]]) -> PartContent:
    try:
        content, fetch_ms = download.result()
    except PartError as error:
        return PartContent(position, error)
    except Exception:  # The other urls are still downloaded.
        logger.exception("download of part %d failed", position)
        return PartContent(position, PartFailed("Something went wrong on our side with this url."))
    return PartContent(position, content, fetch_ms)
