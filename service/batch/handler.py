"""Batches of S3 objects -> rows of results, by the API's own models and its own way of decoding.

A batch is answered in the order of its list, while the next objects are being read. Its rows are
one object of the results bucket, named after what was asked (service/batch/rows.py). A picture that
can't be answered now, but may be later, is kept apart from those that never will be: the batch
writes what it has, and raises `TransientFailures`. The state machine then calls it again, after a
while, with the same batch; it reads what it wrote and does the rest.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from gateway.deadline import Clock, Deadline
from gateway.errors import DeadlineExceeded, PartFailed
from gateway.parts import FormFile
from gateway.routes import Route
from inference.pipeline import Pipeline
from service.batch.items import Batch, BatchRefused, Item, parse_batch, parse_message, parse_route
from service.batch.rows import (
    FAILED,
    RESULTS,
    ResultKey,
    Row,
    batch_name,
    item_of,
    read_lines,
    write_lines,
)
from service.batch.s3_objects import ObjectError, Objects, ObjectUnreachable
from service.batch.settings import BatchSettings
from service.pictures import PictureService, Predict
from service.settings import Settings

READERS = 4
"""Threads that read objects: enough to hide S3's 20 to 100 ms behind the models' time."""

READ_AHEAD = 6
"""Objects that wait for the models; with the largest allowed they fill 300 MB."""

WRITE_SECONDS = 10.0
"""What of the function's time limit is kept for writing the rows."""

FUNCTION_SECONDS = 300.0
"""Where the context does not say how long there is."""

TRANSIENT = frozenset({PartFailed.code, DeadlineExceeded.code})
"""Codes of the picture service that another attempt may not end with."""

logger = logging.getLogger("matchvec")

Content = tuple[bytes, str]


class TransientFailures(Exception):
    """Some pictures could not be answered yet. The state machine retries the batch."""


class BatchFailed(Exception):
    """Too many pictures of the batch could not be answered. The state machine counts it."""


class BatchHandler:
    """Answers the events of the batch function.

    Args:
        settings: The configuration.
        pictures: Decodes and answers, as for the API.
        predict: A route -> what it makes of one picture.
        fingerprint: A route -> what its answers depend on: models and thresholds.
        objects: S3.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        settings: BatchSettings,
        pictures: PictureService,
        predict: Callable[[Route], Predict],
        fingerprint: Callable[[Route], str],
        objects: Objects | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Make the threads that read."""
        self._settings = settings
        self._pictures = pictures
        self._predict = predict
        self._fingerprint = fingerprint
        self._objects = objects or Objects()
        self._clock = clock
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="read")

    def __call__(self, event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401  any JSON
        """Answer one event: a batch, messages of a queue, or a question which models there are.

        Raises:
            BatchRefused: The event is none of these.
            TransientFailures: Call again with the same batch.
            BatchFailed: Don't.
            ModelUnavailable: The models could not be loaded.
        """
        if not isinstance(event, dict):
            raise BatchRefused("The event must be an object.")
        if "Describe" in event:
            return {"Model": self._fingerprint(parse_route(event["Describe"]))}
        if "Records" in event:
            return self._answer_messages(event["Records"], self._deadline(context))
        batch = parse_batch(event)
        summary, failed = self._answer_batch(batch, self._deadline(context))
        logger.info("batch %s", json.dumps(summary))
        if any(row.attempts < batch.max_attempts for row in failed):
            raise TransientFailures(json.dumps(summary))
        share = 100 * len(failed) / max(1, summary["Pictures"])
        if share > self._settings.tolerated_failure_percentage:
            raise BatchFailed(json.dumps(summary))
        return summary

    def _answer_batch(self, batch: Batch, deadline: Deadline) -> tuple[dict[str, Any], list[Row]]:
        items = tuple({(item.bucket, item.key): item for item in batch.items}.values())
        place = ResultKey(self._fingerprint(batch.route), batch.route, batch_name(items))
        earlier = self._read(place, RESULTS)
        # Only a batch that was begun before can have failures.
        failures = [] if earlier is None else self._read(place, FAILED) or []
        done = {item_of(line).identity[:2]: line for line in earlier or []}
        attempts = {item_of(line).identity[:2]: int(line["attempts"]) for line in failures}
        todo = [item for item in items if item.identity[:2] not in done]
        rows = list(self._rows(todo, batch.route, deadline))
        for row in rows:
            if row.is_final:
                done[row.item.identity[:2]] = row.as_json()
        failed = [
            replace(row, attempts=attempts.get(row.item.identity[:2], 0) + 1)
            for row in rows
            if not row.is_final
        ]
        ordered = [done[item.identity[:2]] for item in items if item.identity[:2] in done]
        self._write(place, ordered, failed, was_failed=bool(failures), is_changed=bool(todo))
        return _summary(place, len(items), len(todo), ordered, failed), failed

    def _answer_messages(self, messages: Sequence[Any], deadline: Deadline) -> dict[str, Any]:
        """Each picture as a batch of its own; what is to be retried stays in the queue."""
        returned = []
        for message in messages:
            try:
                for item in parse_message(message["body"]):
                    summary, failed = self._answer_batch(
                        Batch(Route.PREDICT, (item,), max_attempts=1), deadline
                    )
                    if failed:
                        raise TransientFailures(json.dumps(summary))
            # Whatever is wrong with a message: the queue gives it again, and after some times
            # to the dead-letter queue; its neighbours are done.
            except Exception:
                logger.exception("message %s is given back", message["messageId"])
                returned.append({"itemIdentifier": message["messageId"]})
        return {"batchItemFailures": returned}

    def _rows(self, items: Sequence[Item], route: Route, deadline: Deadline) -> Iterator[Row]:
        predict = self._predict(route)
        slowest_seconds = 0.0
        for item, content in self._contents(items):
            start = self._clock()
            if deadline.remaining <= slowest_seconds:
                yield _failed(item, DeadlineExceeded.code, "The function's time was used up.")
                content.cancel()
                continue
            yield self._row(item, content, predict, deadline)
            slowest_seconds = max(slowest_seconds, self._clock() - start)

    def _contents(self, items: Sequence[Item]) -> Iterator[tuple[Item, Future[Content]]]:
        """Every item with its content, of which the next few are being read."""
        waiting: deque[tuple[Item, Future[Content]]] = deque()
        for item in items:
            reading = self._pool.submit(self._objects.read, item, self._settings.max_object_bytes)
            waiting.append((item, reading))
            if len(waiting) >= READ_AHEAD:
                yield waiting.popleft()
        yield from waiting

    def _row(
        self, item: Item, reading: Future[Content], predict: Predict, deadline: Deadline
    ) -> Row:
        try:
            content, etag = reading.result(deadline.remaining)
        except TimeoutError:
            return _failed(item, ObjectUnreachable.code, "S3 did not deliver it in time.")
        except ObjectError as error:
            return Row(item, [], error=(error.code, error.message), is_final=error.is_final)
        [result] = self._pictures.answer(
            [FormFile(content, item.key)], predict, Deadline.after(FUNCTION_SECONDS)
        )
        item = replace(item, etag=etag)
        if result.error and result.error.code in TRANSIENT:
            return _failed(item, result.error.code, result.error.message)
        told = (result.error.code, result.error.message) if result.error else None
        return Row(item, result.predictions, result.size_wh, told)

    def _read(self, place: ResultKey, kind: str) -> list[dict[str, Any]] | None:
        content = self._objects.read_own(self._settings.results_bucket, place.key(kind))
        return None if content is None else read_lines(content)

    def _write(
        self,
        place: ResultKey,
        lines: Sequence[dict[str, Any]],
        failed: Sequence[Row],
        *,
        was_failed: bool,
        is_changed: bool,
    ) -> None:
        """The failures first: an attempt that breaks off in between counts."""
        bucket = self._settings.results_bucket
        if failed:
            content = write_lines(row.as_json() for row in failed)
            self._objects.write(bucket, place.key(FAILED), content)
        if is_changed:
            self._objects.write(bucket, place.key(RESULTS), write_lines(lines))
        if was_failed and not failed:
            self._objects.delete(bucket, place.key(FAILED))

    def _deadline(self, context: object) -> Deadline:
        remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
        seconds = remaining_ms() / 1000 if callable(remaining_ms) else FUNCTION_SECONDS
        return Deadline.after(seconds - WRITE_SECONDS, self._clock)


def make_batch_handler(
    environ: Mapping[str, str],
    settings: Settings,
    pictures: PictureService,
    pipeline: Callable[[], Pipeline],
    predict: Callable[[Route], Predict],
) -> BatchHandler:
    """The handler of the deployed function, with what the API's handler has loaded."""
    return BatchHandler(
        BatchSettings.from_environment(environ),
        pictures,
        predict,
        fingerprint=lambda route: model_fingerprint(pipeline(), settings, route),
    )


def model_fingerprint(pipeline: Pipeline, settings: Settings, route: Route) -> str:
    """SHA-256 over all that a route's answers depend on: the models' files and the thresholds."""
    classifiers = pipeline.classifiers if route is Route.PREDICT else ()
    models = [pipeline.detector.manifest.sha256, *(each.manifest.sha256 for each in classifiers)]
    thresholds = [
        settings.detection_threshold,
        settings.detection_iou_threshold,
        settings.detection_size_threshold,
    ]
    return hashlib.sha256(json.dumps([models, thresholds]).encode()).hexdigest()


def _failed(item: Item, code: str, message: str) -> Row:
    return Row(item, [], error=(code, message), is_final=False)


def _summary(
    place: ResultKey,
    pictures: int,
    worked_on: int,
    lines: Sequence[dict[str, Any]],
    failed: Sequence[Row],
) -> dict[str, Any]:
    """What the execution's history tells of a batch."""
    codes = Counter(line["error"]["code"] for line in lines if line["error"])
    codes.update(row.error[0] for row in failed if row.error)
    return {
        "Results": place.key(RESULTS),
        "Pictures": pictures,
        "WorkedOn": worked_on,
        "Failed": len(failed),
        "Errors": dict(sorted(codes.items())),
    }
