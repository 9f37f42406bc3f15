"""Processes the objects of a batch in order, while threads read the next ones from S3."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceeded, PartFailed
from gateway.options import Options
from gateway.parts import FormFile
from gateway.routes import Route
from service.batch.app import BatchApp
from service.batch.items import Item
from service.batch.rows import Row
from service.batch.s3_objects import ObjectError, ObjectUnreachable
from service.limits import request_budget
from service.picture_answers import PICTURE_ROUTES
from service.pictures import PictureFunction

READ_AHEAD = 6
"""Objects that are read before the models need them. At the largest size they fill 300 MB."""

PICTURE_SECONDS = 300.0
"""Time limit of one picture; the batch's own deadline decides whether a picture is started."""

TRANSIENT = frozenset({PartFailed.code, DeadlineExceeded.code})
"""Error codes of pictures that may succeed when they are retried."""


def process_items(
    app: BatchApp, items: Sequence[Item], route: Route, deadline: Deadline
) -> Iterator[Row]:
    """Yield a row for each object, in order.

    An object is started only if the time left exceeds that of the slowest object so far; the others
    get a `deadline_exceeded` row, which is retried.

    Args:
        app: Objects that all batches share.
        items: Objects to process.
        route: Route of the API that answers them.
        deadline: Time at which the rows must be complete.

    Raises:
        ModelUnavailable: A model could not be loaded.
    """
    # Objects are processed one after the other.
    compute = PICTURE_ROUTES[route].make_function(app.api, Options(), 1)
    clock = app.api.clock
    slowest_seconds = 0.0
    for item, reading in _read_ahead(app, items):
        start = clock()
        if deadline.remaining <= slowest_seconds:
            yield _transient(item, DeadlineExceeded.code, "The function's time was used up.")
            reading.cancel()
            continue
        yield _process_item(app, item, reading, compute, deadline)
        slowest_seconds = max(slowest_seconds, clock() - start)


def _read_ahead(
    app: BatchApp, items: Sequence[Item]
) -> Iterator[tuple[Item, Future[tuple[bytes, str]]]]:
    """Yield every object with its content and ETag, which a thread reads."""
    waiting: deque[tuple[Item, Future[tuple[bytes, str]]]] = deque()
    for item in items:
        reading = app.readers.submit(app.objects.read, item, app.settings.max_object_bytes)
        waiting.append((item, reading))
        if len(waiting) >= READ_AHEAD:
            yield waiting.popleft()
    yield from waiting


def _process_item(
    app: BatchApp,
    item: Item,
    reading: Future[tuple[bytes, str]],
    compute: PictureFunction,
    deadline: Deadline,
) -> Row:
    try:
        content, etag = reading.result(deadline.remaining)
    except TimeoutError:
        return _transient(item, ObjectUnreachable.code, "S3 did not deliver the object in time.")
    except ObjectError as error:
        return Row(item, error=(error.code, error.message), is_final=error.is_final)
    [result] = app.api.pictures.answer(
        [FormFile(content, item.key)],
        compute,
        Deadline.after(PICTURE_SECONDS),
        request_budget(app.api.settings),
    )
    item = replace(item, etag=etag)
    if result.error and result.error.code in TRANSIENT:
        return _transient(item, result.error.code, result.error.message)
    failure = (result.error.code, result.error.message) if result.error else None
    return Row(item, result.answer, result.size_wh, failure)


def _transient(item: Item, code: str, message: str) -> Row:
    return Row(item, error=(code, message), is_final=False)
