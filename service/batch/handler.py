"""The entry point of batches: an event of the state machine or of the queue becomes rows.

A picture that fails now but may succeed later is stored apart from those that never will: the batch
writes its rows and raises `TransientFailures`. The state machine then retries the same batch, which
reads its own rows back and processes the rest.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.deadline import Deadline
from gateway.routes import Route
from service.app import App
from service.batch.app import BatchApp
from service.batch.items import Batch, BatchRefused, parse_batch, parse_message, parse_route
from service.batch.process import process_items
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
from service.picture_answers import PICTURE_ROUTES

WRITE_SECONDS = 10.0
"""Seconds of the function's time limit that are kept for writing the rows."""

DEFAULT_SECONDS = 300.0
"""Seconds that the function may run, if the context does not say."""

logger = logging.getLogger("matchvec")


class TransientFailures(Exception):
    """Some pictures failed for now. The state machine retries the batch."""


class BatchFailed(Exception):
    """Too many pictures of the batch failed. The state machine counts the batch as failed."""


def handle_batch(app: BatchApp, event: Any, context: object) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """Answer one event: a batch, messages of a queue, or a request for the model's fingerprint.

    Raises:
        BatchRefused: The event is none of these.
        TransientFailures: The same batch should be sent again.
        BatchFailed: The batch has failed for good.
        ModelUnavailable: A model could not be loaded.
    """
    if not isinstance(event, dict):
        raise BatchRefused("The event must be an object.")
    if "Describe" in event:
        return {"Model": model_fingerprint(app.api, parse_route(event["Describe"]))}
    if "Records" in event:
        return _answer_messages(app, event["Records"], _deadline(app, context))
    batch = parse_batch(event)
    summary, failed = _answer_batch(app, batch, _deadline(app, context))
    logger.info("batch %s", json.dumps(summary))
    if any(row.attempts < batch.max_attempts for row in failed):
        raise TransientFailures(json.dumps(summary))
    percentage = 100 * len(failed) / max(1, summary["Pictures"])
    if percentage > app.settings.tolerated_failure_percentage:
        raise BatchFailed(json.dumps(summary))
    return summary


def model_fingerprint(api: App, route: Route) -> str:
    """Return a SHA-256 of all that a route's answers depend on: model files, thresholds, limits.

    Raises:
        ModelUnavailable: A model could not be loaded.
    """
    models = [manifest.sha256 for manifest in PICTURE_ROUTES[route].manifests(api.models)]
    settings = api.settings
    numbers = [
        settings.detection_threshold,
        settings.detection_iou_threshold,
        settings.detection_size_threshold,
        settings.max_classified_per_picture,
        settings.max_classified_per_request,
        settings.max_cpu_seconds,
    ]
    return hashlib.sha256(json.dumps([models, numbers]).encode()).hexdigest()


def _answer_batch(
    app: BatchApp, batch: Batch, deadline: Deadline
) -> tuple[dict[str, Any], list[Row]]:
    """Process what earlier attempts left, and return a summary and the failed rows."""
    items = tuple({(item.bucket, item.key): item for item in batch.items}.values())
    model = model_fingerprint(app.api, batch.route)
    result_key = ResultKey(model, batch.route, batch_name(items))
    earlier = _read(app, result_key, RESULTS)
    # A batch without results has not been started before, so it has no failures either.
    failures = [] if earlier is None else _read(app, result_key, FAILED) or []
    done = {item_of(line).identity[:2]: line for line in earlier or []}
    attempts = {item_of(line).identity[:2]: int(line["attempts"]) for line in failures}
    todo = [item for item in items if item.identity[:2] not in done]
    rows = list(process_items(app, todo, batch.route, deadline))
    for row in rows:
        if row.is_final:
            done[row.item.identity[:2]] = row.as_json()
    failed = [
        replace(row, attempts=attempts.get(row.item.identity[:2], 0) + 1)
        for row in rows
        if not row.is_final
    ]
    lines = [done[item.identity[:2]] for item in items if item.identity[:2] in done]
    _write(app, result_key, lines, failed, had_failures=bool(failures), is_changed=bool(todo))
    return _summary(result_key, len(items), len(todo), lines, failed), failed


def _answer_messages(app: BatchApp, messages: Sequence[Any], deadline: Deadline) -> dict[str, Any]:
    """Process each picture as a batch of one, and return the messages to be retried."""
    returned = []
    for message in messages:
        try:
            for item in parse_message(message["body"]):
                batch = Batch(Route.PREDICT, (item,), max_attempts=1)
                summary, failed = _answer_batch(app, batch, deadline)
                if failed:
                    raise TransientFailures(json.dumps(summary))
        # The queue retries a message that fails for any reason, and then moves it to the
        # dead-letter queue. The other messages are done.
        except Exception:
            logger.exception("message %s goes back to the queue", message["messageId"])
            returned.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": returned}


def _read(app: BatchApp, result_key: ResultKey, kind: str) -> list[dict[str, Any]] | None:
    content = app.objects.read_own(app.settings.results_bucket, result_key.key(kind))
    return None if content is None else read_lines(content)


def _write(
    app: BatchApp,
    result_key: ResultKey,
    lines: Sequence[dict[str, Any]],
    failed: Sequence[Row],
    *,
    had_failures: bool,
    is_changed: bool,
) -> None:
    """Write the failures first, so that an attempt that is interrupted in between counts."""
    bucket = app.settings.results_bucket
    if failed:
        content = write_lines(row.as_json() for row in failed)
        app.objects.write(bucket, result_key.key(FAILED), content)
    if is_changed:
        app.objects.write(bucket, result_key.key(RESULTS), write_lines(lines))
    if had_failures and not failed:
        app.objects.delete(bucket, result_key.key(FAILED))


def _deadline(app: BatchApp, context: object) -> Deadline:
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    seconds = remaining_ms() / 1000 if callable(remaining_ms) else DEFAULT_SECONDS
    return Deadline.after(seconds - WRITE_SECONDS, app.api.clock)


def _summary(
    result_key: ResultKey,
    pictures: int,
    worked_on: int,
    lines: Sequence[dict[str, Any]],
    failed: Sequence[Row],
) -> dict[str, Any]:
    """Return the summary of a batch that the execution's history shows."""
    codes = Counter(line["error"]["code"] for line in lines if line["error"])
    codes.update(row.error[0] for row in failed if row.error)
    return {
        "Results": result_key.key(RESULTS),
        "Pictures": pictures,
        "WorkedOn": worked_on,
        "Failed": len(failed),
        "Errors": dict(sorted(codes.items())),
    }
