from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.routes import Route
from inference.decoding.source import ImageSource
from inference.errors import ModelUnavailable
from inference.pipeline import Pipeline
from service.batch.handler import BatchFailed, TransientFailures
from service.batch.items import BatchRefused
from service.batch.rows import read_lines
from service.batch.s3_objects import ObjectUnreachable
from service.batch.settings import BatchSettings
from service.settings import SettingsError
from tests.support.archive import (
    ARCHIVE,
    RESULTS_BUCKET,
    Archive,
    always,
    archive_in_moto,
    batch_event,
    first,
)
from tests.support.models import fake_detector, fake_pipeline
from tests.support.pictures import plain

EVENTS = Path(__file__).parents[2] / "events" / "batch"
CAR = {
    "x1": 0, "y1": 0, "x2": 4, "y2": 6, "class_name": "car", "confidence": 0.9,
    "label": "clio: 0.75", "pred": ["clio", "208"], "prob": [0.75, 0.25],
}  # fmt: skip


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    with archive_in_moto(monkeypatch) as made:
        yield made


def stored(archive: Archive, kind: str) -> list[dict[str, Any]]:
    """All rows below results/ or failed/."""
    listing = archive.client.list_objects_v2(Bucket=RESULTS_BUCKET, Prefix=f"{kind}/")
    return [
        line
        for each in listing.get("Contents", [])
        for line in read_lines(
            archive.client.get_object(Bucket=RESULTS_BUCKET, Key=each["Key"])["Body"].read()
        )
    ]


def test_rows_of_a_batch(archive: Archive) -> None:
    archive.put("a.png", plain())
    archive.put("b.jpg", b"<html>")
    etags = {
        each["Key"]: each["ETag"].strip('"')
        for each in archive.client.list_objects_v2(Bucket=ARCHIVE)["Contents"]
    }

    summary = archive.handler()(batch_event("a.png", "b.jpg"), None)

    assert summary["Pictures"] == summary["WorkedOn"] == 2
    assert (summary["Failed"], summary["Errors"]) == (0, {"not_an_image": 1})
    assert summary["Results"].startswith("results/model=")
    assert "/route=predict/" in summary["Results"]
    assert stored(archive, "results") == [
        {
            "bucket": ARCHIVE,
            "key": "a.png",
            "etag": etags["a.png"],
            "width": 8,
            "height": 6,
            "predictions": [CAR],
            "error": None,
        },
        {
            "bucket": ARCHIVE,
            "key": "b.jpg",
            "etag": etags["b.jpg"],
            "width": None,
            "height": None,
            "predictions": [],
            "error": {
                "code": "not_an_image",
                "message": "The file is a web page, not a picture. "
                "Send the bytes of the picture's file.",
            },
        },
    ]
    assert stored(archive, "failed") == []


def test_object_detection_has_its_own_rows(archive: Archive) -> None:
    archive.put("a.png", plain())
    archive.handler()(batch_event("a.png", route=Route.OBJECT_DETECTION), None)

    [row] = stored(archive, "results")
    assert [each["class_name"] for each in row["predictions"]] == ["car", "person"]


def test_a_picture_has_the_limits_of_a_request(archive: Archive) -> None:
    archive.put("a.png", plain())
    two = fake_detector(((0, 0, 1, 2), 0.9, 0), ((1, 0, 2, 2), 0.8, 0))
    limit = {"MAX_CLASSIFIED_PER_PICTURE": "1"}
    archive.handler(load=lambda: fake_pipeline(two), variables=limit)(batch_event("a.png"), None)

    [row] = stored(archive, "results")
    assert [each["pred"] for each in row["predictions"]] == [["clio", "208"], ["car"]]


FINAL = {
    "deleted": ("NoSuchKey", "object_missing"),
    "overwritten": ("PreconditionFailed", "object_changed"),
    "archived": ("InvalidObjectState", "object_archived"),
}


@pytest.mark.parametrize(("refusal", "code"), FINAL.values(), ids=FINAL)
def test_a_final_failure_is_a_row(archive: Archive, refusal: str, code: str) -> None:
    archive.s3.faults["a.png"] = always(refusal)
    archive.handler()(batch_event("a.png"), None)

    assert [row["error"]["code"] for row in stored(archive, "results")] == [code]


LATER = {
    "throttled": ("SlowDown", "object_unreachable"),
    "broken": ("InternalError", "object_unreachable"),
    "unknown": ("SomethingNew", "object_unreachable"),
    "forbidden": ("AccessDenied", "object_forbidden"),
}


@pytest.mark.parametrize(("refusal", "code"), LATER.values(), ids=LATER)
def test_a_transient_failure_is_retried(archive: Archive, refusal: str, code: str) -> None:
    archive.put("good.png", plain())
    archive.put("a.png", plain())
    archive.s3.faults["a.png"] = first(2, refusal)
    handler, event = archive.handler(), batch_event("good.png", "a.png")

    for attempts in (1, 2):
        with pytest.raises(TransientFailures):
            handler(event, None)
        [failed] = stored(archive, "failed")
        assert (failed["key"], failed["error"]["code"]) == ("a.png", code)
        assert failed["attempts"] == attempts
        assert [row["key"] for row in stored(archive, "results")] == ["good.png"]
    handler(event, None)

    assert [row["key"] for row in stored(archive, "results")] == ["good.png", "a.png"]
    assert stored(archive, "failed") == []
    assert archive.s3.reads == {"good.png": 1, "a.png": 3}


def test_a_finished_batch_reads_and_writes_nothing(archive: Archive) -> None:
    archive.put("a.png", plain())
    handler = archive.handler()
    summary = handler(batch_event("a.png"), None)
    writes = dict(archive.s3.writes)

    assert handler(batch_event("a.png"), None) == {**summary, "WorkedOn": 0}
    assert archive.s3.reads == {"a.png": 1}
    assert archive.s3.writes == writes


def test_the_same_key_twice_in_a_batch_is_one_row(archive: Archive) -> None:
    archive.put("a.png", plain())
    archive.handler()(batch_event("a.png", "a.png"), None)

    assert len(stored(archive, "results")) == 1


@pytest.mark.parametrize(("tolerated", "fails"), [(49, True), (50, False)])
def test_too_many_failures_fail_the_batch(archive: Archive, tolerated: float, fails: bool) -> None:
    archive.put("good.png", plain())
    archive.s3.faults["a.png"] = always("AccessDenied")
    handler, event = (
        archive.handler(tolerated=tolerated),
        batch_event("good.png", "a.png", attempts=1),
    )

    if fails:
        with pytest.raises(BatchFailed):
            handler(event, None)
    else:
        assert handler(event, None)["Failed"] == 1
    assert [row["key"] for row in stored(archive, "results")] == ["good.png"], "none is lost"


def test_objects_over_the_limit_are_not_read(archive: Archive) -> None:
    event = batch_event("a.png", "b.png")
    event["Items"][0]["Size"] = 1_000_001
    archive.put("b.png", b"x" * 1_000_001)  # Without a size in the list.
    archive.handler()(event, None)

    codes = [row["error"]["code"] for row in stored(archive, "results")]
    assert codes == ["object_too_large", "object_too_large"]
    assert archive.s3.reads == {"b.png": 1}


def test_pictures_after_the_time_limit_are_retried(archive: Archive) -> None:
    for key in ("a.png", "b.png", "c.png"):
        archive.put(key, plain())
    # Reads of the clock: at the start, then per picture: before, at the deadline, (read), after.
    times = chain([0.0, 0.0, 0.0, 0.0, 60.0], repeat(95.0))
    handler = archive.handler(clock=lambda: next(times))
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)

    with pytest.raises(TransientFailures):
        handler(batch_event("a.png", "b.png", "c.png"), context)

    assert [row["key"] for row in stored(archive, "results")] == ["a.png"]
    failed = stored(archive, "failed")
    assert [row["error"]["code"] for row in failed] == ["deadline_exceeded"] * 2


def test_an_internal_error_is_retried(archive: Archive) -> None:
    archive.put("a.png", plain())

    class Broken(Pipeline):
        def predict_class(self, source: ImageSource, threshold: float, top: int) -> Any:
            raise RuntimeError("a bug")

    whole = fake_pipeline()
    broken = Broken(whole.detector, whole.classifiers, 0.005, 0.9)
    with pytest.raises(TransientFailures):
        archive.handler(load=lambda: broken)(batch_event("a.png"), None)

    assert [row["error"]["code"] for row in stored(archive, "failed")] == ["internal_error"]


def test_rows_that_cannot_be_written_raise(archive: Archive) -> None:
    archive.put("a.png", plain())

    with pytest.raises(ObjectUnreachable, match="no-such-bucket"):
        archive.handler(results_bucket="no-such-bucket")(batch_event("a.png"), None)


def test_models_that_do_not_load_raise(archive: Archive) -> None:
    def load() -> Pipeline:
        raise ModelUnavailable("gone")

    with pytest.raises(ModelUnavailable):
        archive.handler(load=load)(batch_event("a.png"), None)


def notifications() -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / "sqs_s3_notifications.json").read_text())
    return event


def message(key: str, identifier: str) -> dict[str, Any]:
    body = json.loads(notifications()["Records"][0]["body"])
    [record] = body["Records"]
    record["s3"]["object"] = {"key": key, "size": 10}
    return {"messageId": identifier, "body": json.dumps(body)}


def test_each_new_object_has_rows_of_its_own(archive: Archive) -> None:
    archive.put("new/a b.png", plain())
    archive.put("new/größe.png", plain())
    event = {"Records": [message("new/a+b.png", "1"), message("new/gr%C3%B6%C3%9Fe.png", "2")]}

    assert archive.handler()(event, None) == {"batchItemFailures": []}
    assert {row["key"] for row in stored(archive, "results")} == {"new/a b.png", "new/größe.png"}
    assert len(archive.s3.writes) == 2


def test_only_failed_messages_go_back_to_the_queue(archive: Archive) -> None:
    for key in ("a.png", "b.png", "c.jpg"):
        archive.put(key, plain() if key != "c.jpg" else b"<html>")
    archive.s3.faults["b.png"] = first(1)
    event = {
        "Records": [
            message("a.png", "good"),
            message("b.png", "throttled"),
            message("c.jpg", "no picture"),
            message("gone.png", "deleted"),
            {"messageId": "no notification", "body": "hello"},
        ]
    }
    handler = archive.handler(tolerated=100)

    returned = [{"itemIdentifier": "throttled"}, {"itemIdentifier": "no notification"}]
    assert handler(event, None) == {"batchItemFailures": returned}
    # The queue sends them again. Finished objects are not read again.
    assert handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "no notification"}]}
    codes = {
        row["key"]: row["error"] and row["error"]["code"] for row in stored(archive, "results")
    }
    assert codes == {
        "a.png": None,
        "b.png": None,
        "c.jpg": "not_an_image",
        "gone.png": "object_missing",
    }
    assert archive.s3.reads == {"a.png": 1, "b.png": 2, "c.jpg": 1, "gone.png": 1}


def test_recorded_messages_of_s3(archive: Archive) -> None:
    """An object that was overwritten, S3's test message, and a deletion."""
    archive.put("new/a b+größe.jpg", plain())

    assert archive.handler()(notifications(), None) == {"batchItemFailures": []}
    [row] = stored(archive, "results")
    assert (row["key"], row["error"]["code"]) == ("new/a b+größe.jpg", "object_changed")


NO_EVENTS: dict[str, Any] = {
    "null": None, "a list": [], "empty": {}, "a text": "x",
    "describe nothing": {"Describe": None}, "describe a page": {"Describe": "health"},
}  # fmt: skip


@pytest.mark.parametrize("event", NO_EVENTS.values(), ids=NO_EVENTS)
def test_other_events_are_refused(archive: Archive, event: Any) -> None:
    with pytest.raises(BatchRefused):
        archive.handler()(event, None)


def test_the_fingerprint_of_the_models(archive: Archive) -> None:
    handler = archive.handler()
    models = {
        handler({"Describe": name}, None)["Model"] for name in ("predict", "object_detection")
    }

    assert len(models) == 2
    assert {len(model) for model in models} == {64}


SETTINGS = {
    "no bucket": ({}, "RESULTS_BUCKET"),
    "size": ({"RESULTS_BUCKET": "b", "MAX_OBJECT_BYTES": "0"}, "MAX_OBJECT_BYTES"),
    "percentage": (
        {"RESULTS_BUCKET": "b", "TOLERATED_FAILURE_PERCENTAGE": "101"},
        "TOLERATED_FAILURE_PERCENTAGE",
    ),
}


@pytest.mark.parametrize(("environ", "message"), SETTINGS.values(), ids=SETTINGS)
def test_settings_that_cannot_be(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        BatchSettings.from_environment(environ)


def test_the_api_starts_without_the_batch_function() -> None:
    """boto3 is imported by the first batch."""
    code = (
        "import sys, lambda_function\n"
        "assert not {'service.batch.handler', 'boto3'} & set(sys.modules)\n"
        "print(lambda_function.lambda_handler_batch({'Describe': 'predict'}, None)['Model'])\n"
        "assert {'service.batch.handler', 'boto3'} <= set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={"RESULTS_BUCKET": "rows", "AWS_DEFAULT_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 64
