"""The commands of scripts/bulk.sh and `matchvec bulk`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from gateway.routes import Route
from matchvec_client.bulk import lists, results, runs, target
from matchvec_client.bulk.aws import BulkError
from matchvec_client.bulk.costs import spent
from matchvec_client.bulk.results import Output
from matchvec_client.bulk.runs import Source, progress, start, status
from matchvec_client.bulk.target import Target
from scripts.bulk import __main__ as command
from scripts.bulk import arrivals
from tests.support.archive import ARCHIVE, RESULTS_BUCKET, Archive, always, session
from tests.support.pictures import plain

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:matchvec-bulk"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:matchvec-ArrivalsQueue"
TARGET = Target(MACHINE, "batch", ARCHIVE, "2024/", RESULTS_BUCKET, QUEUE, 2048, "arm64")
PREFIX = Source("prefix", "2024/", Route.PREDICT, 100)
BEGIN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def states(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Stub Step Functions with responses that botocore validates."""
    make = session().client
    client = make("stepfunctions")
    others = {"s3": archive.client, "stepfunctions": client}

    def find(service: str) -> Any:
        return others.get(service) or make(service)

    for module in (runs, results, arrivals):
        monkeypatch.setattr(module, "client", find)
    model = archive.handler()({"Describe": "predict"}, None)["Model"]
    monkeypatch.setattr(Target, "model", lambda *_: model)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def no_run(states: Stubber) -> None:
    states.add_response("list_executions", {"executions": []})


def starts(states: Stubber) -> dict[str, Any]:
    """Expect a start; its input is put into the returned dictionary."""
    given: dict[str, Any] = {}

    def keep(params: dict[str, Any], **_: Any) -> None:
        given.update(json.loads(params["input"]))

    states.client.meta.events.register("provide-client-params.sfn.StartExecution", keep)
    states.client.meta.events.register("before-parameter-build.sfn.StartExecution", keep)
    expected = {"stateMachineArn": MACHINE, "name": ANY, "input": ANY}
    answer = {"executionArn": f"{MACHINE}:run", "startDate": BEGIN}
    states.add_response("start_execution", answer, expected)
    return given


def test_the_first_run_has_step_functions_list_the_prefix(
    archive: Archive, states: Stubber
) -> None:
    archive.put("2024/a.png", plain())
    no_run(states)
    given = starts(states)

    assert "prefix '2024/'" in start(TARGET, PREFIX)
    assert given == {
        "Bucket": ARCHIVE,
        "Route": "predict",
        "ItemsPerBatch": 100,
        "Source": "prefix",
        "Prefix": "2024/",
    }


def answer_some(archive: Archive) -> None:
    """Process two of four pictures."""
    for name in "abcd":
        archive.put(f"2024/{name}.png", plain())
    archive.s3.faults["2024/c.png"] = always("AccessDenied")
    archive.s3.faults["2024/d.png"] = always("AccessDenied")
    fields = {"Bucket": ARCHIVE, "Route": "predict", "ItemsPerBatch": 100, "Source": "prefix"}
    run = archive.execution(archive.handler(tolerated=100), tolerated=100)
    run.run({**fields, "Prefix": "2024/"})


def test_later_runs_get_a_list_of_missing_pictures(archive: Archive, states: Stubber) -> None:
    answer_some(archive)
    archive.put("2024/a.png", plain(9))  # Another picture with the key of a row.
    no_run(states)
    given = starts(states)

    assert start(TARGET, PREFIX).startswith("4 pictures, 3 without a row, about $0.00. Run ")
    assert given["Source"] == "manifest"
    content = archive.client.get_object(**given["List"])["Body"].read()
    entries = json.loads(content)
    assert [each["Key"] for each in entries] == ["2024/a.png", "2024/c.png", "2024/d.png"]
    assert {each["Bucket"] for each in entries} == {ARCHIVE}
    assert all(len(each["ETag"]) == 32 and each["Size"] > 0 for each in entries)


def test_each_key_of_a_list_is_processed_once(
    archive: Archive, states: Stubber, tmp_path: Path
) -> None:
    answer_some(archive)
    file = tmp_path / "keys.txt"
    file.write_text('2024/a.png\n2024/c.png\n{"Key": "2024/new.png"}\n2024/c.png\n')
    no_run(states)
    given = starts(states)

    shown = start(TARGET, Source("manifest", str(file), Route.PREDICT, 1))
    assert shown.startswith("4 pictures, 2 without a row")
    entries = json.loads(archive.client.get_object(**given["List"])["Body"].read())
    assert entries == [
        {"Bucket": ARCHIVE, "Key": "2024/c.png"},
        {"Bucket": ARCHIVE, "Key": "2024/new.png"},
    ]


def test_nothing_is_started_if_nothing_is_missing(archive: Archive, states: Stubber) -> None:
    answer_some(archive)
    for name in "cd":
        archive.client.delete_object(Bucket=ARCHIVE, Key=f"2024/{name}.png")
    no_run(states)

    assert start(TARGET, PREFIX) == "2 pictures, 0 without a row, about $0.00. Nothing to do."


def test_a_dry_run_starts_nothing(archive: Archive, states: Stubber) -> None:
    answer_some(archive)
    no_run(states)

    assert start(TARGET, PREFIX, dry_run=True).endswith("Nothing was started.")
    listing = archive.client.list_objects_v2(Bucket=RESULTS_BUCKET, Prefix="runs/2")
    assert listing["KeyCount"] == 0


def test_two_runs_at_once_are_refused(archive: Archive, states: Stubber) -> None:
    running = {
        "executionArn": "arn",
        "stateMachineArn": MACHINE,
        "name": "20261122T120000",
        "status": "RUNNING",
        "startDate": BEGIN,
    }
    states.add_response("list_executions", {"executions": [running]})
    with pytest.raises(BulkError):
        start(TARGET, PREFIX)


def test_a_prefix_that_the_role_may_not_read_is_refused(states: Stubber) -> None:
    with pytest.raises(BulkError):
        start(TARGET, Source("prefix", "2023/", Route.PREDICT, 100))


ITEMS = {
    **{"total": 1_000_000, "succeeded": 240_000, "failed": 10_000, "pending": 745_000},
    **{"running": 5_000, "timedOut": 0, "aborted": 0, "resultsWritten": 0},
}
BATCHES = {
    **{"total": 10_000, "succeeded": 2_400, "failed": 100, "pending": 7_450, "running": 50},
    **{"timedOut": 0, "aborted": 0, "resultsWritten": 0},
}


def test_status_shows_progress_and_cost(archive: Archive, states: Stubber) -> None:
    arn = MACHINE.replace(":stateMachine:", ":execution:") + ":run"
    begin = BEGIN
    run = {
        **{"executionArn": arn, "stateMachineArn": MACHINE, "name": "run", "status": "FAILED"},
        **{"startDate": begin, "stopDate": begin + timedelta(minutes=10)},
        **{"error": "States.ExceedToleratedFailureThreshold", "cause": "too many"},
    }
    latest = {name: value for name, value in run.items() if name not in ("error", "cause")}
    states.add_response("list_executions", {"executions": [latest]})
    states.add_response("describe_execution", run, {"executionArn": arn})
    map_run = {**latest, "mapRunArn": "map"}
    listed = {
        key: map_run[key] for key in ("executionArn", "mapRunArn", "stateMachineArn", "startDate")
    }
    states.add_response("list_map_runs", {"mapRuns": [listed]}, {"executionArn": arn})
    counts = {
        **{"mapRunArn": "map", "executionArn": arn, "status": "RUNNING", "startDate": begin},
        **{"maxConcurrency": 50, "toleratedFailurePercentage": 5.0, "toleratedFailureCount": 0},
        **{"itemCounts": ITEMS, "executionCounts": BATCHES},
    }
    states.add_response("describe_map_run", counts, {"mapRunArn": "map"})
    session().client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "Duration",
                "Dimensions": [{"Name": "FunctionName", "Value": "batch"}],
                "Timestamp": begin + timedelta(minutes=3),
                "Value": 11_000_000.0,
            }
        ],
    )

    shown = status(TARGET, None).text
    assert shown.startswith("Run run: FAILED, begun 2026-11-22 12:00:00 UTC")
    assert "250,000 of 1,000,000 pictures (25.0 %), 417 per second 30 min left" in shown
    assert "2,400 done, 50 running, 7,450 waiting, 100 failed with 10,000 pictures" in shown
    assert "Cost so far, about $0.54" in shown
    assert shown.endswith("States.ExceedToleratedFailureThreshold: too many")


def test_the_cost_is_the_sum_of_its_items() -> None:
    by_hand = (
        2_550 * 2 * 25e-6  # transitions
        + 2_550 * 0.2e-6  # calls
        + (255_000 + 2_550) * 0.4e-6  # reads
        + (2_550 + 1_000) * 5e-6  # writes and lists
        + 2 * 11_000 * 0.0000133334
    )
    assert spent(ITEMS, BATCHES, 11_000_000, 2048, "arm64") == pytest.approx(by_hand)


def test_progress_of_a_new_run() -> None:
    nothing = dict.fromkeys(ITEMS, 0)
    assert progress(nothing, nothing, 0)[0] == "0 of 0 pictures (0.0 %), 0 per second"


def test_results_are_counted_and_merged(archive: Archive, states: Stubber, tmp_path: Path) -> None:
    archive.put("2024/e.jpg", b"<html>")
    answer_some(archive)
    output = tmp_path / "rows.jsonl"

    shown = results.results(TARGET, Route.PREDICT, Output(output)).splitlines()
    assert shown[0].startswith("3 rows in s3://rows/results/model=")
    assert [line.split() for line in shown[1:3]] == [["2", "answered"], ["1", "not_an_image"]]
    assert shown[3].startswith("2 pictures")
    assert shown[4].split() == ["2", "object_forbidden"]
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["key"] for row in rows] == ["2024/a.png", "2024/b.png", "2024/e.jpg"]


def test_watching_leaves_other_rules_alone(archive: Archive, states: Stubber) -> None:
    s3 = archive.client
    other = {"Id": "other", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:t",
             "Events": ["s3:ObjectRemoved:*"]}  # fmt: skip
    session().client("sns").create_topic(Name="t")
    s3.put_bucket_notification_configuration(
        Bucket=ARCHIVE, NotificationConfiguration={"TopicConfigurations": [other]}
    )

    arrivals.watch(TARGET)
    arrivals.watch(TARGET)
    found = s3.get_bucket_notification_configuration(Bucket=ARCHIVE)
    [rule] = found["QueueConfigurations"]
    assert (rule["QueueArn"], rule["Events"]) == (QUEUE, ["s3:ObjectCreated:*"])
    assert rule["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "2024/"}]
    assert found["TopicConfigurations"] == [other]

    arrivals.unwatch(TARGET)
    found = s3.get_bucket_notification_configuration(Bucket=ARCHIVE)
    assert "QueueConfigurations" not in found
    assert found["TopicConfigurations"] == [other]


OUTPUTS = {
    "BulkStateMachineArn": MACHINE,
    "BatchFunctionName": "batch",
    "ResultsBucketName": RESULTS_BUCKET,
}


def stack_with(monkeypatch: pytest.MonkeyPatch, outputs: dict[str, str] | None) -> None:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in (outputs or {}).items()]
    values = {"ArchiveBucket": ARCHIVE, "MemorySize": "2048", "Architecture": "arm64"}
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    stack = {"Outputs": listed, "Parameters": parameters}
    monkeypatch.setattr(target, "describe", lambda _: None if outputs is None else stack)


def test_a_stack_is_found_by_its_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    stack_with(monkeypatch, OUTPUTS)
    assert target.find("matchvec") == Target(
        MACHINE, "batch", ARCHIVE, "", RESULTS_BUCKET, "", 2048, "arm64"
    )


MISTAKES: dict[str, tuple[dict[str, str] | None, list[str], str]] = {
    "no stack": (None, ["status"], "stack matchvec"),
    "no archive": ({}, ["status"], "ArchiveBucket=NAME"),
    "no queue": (OUTPUTS, ["watch"], "Arrivals=true"),
    "a batch too large": (OUTPUTS, ["start", "--prefix", "", "--batch", "5000"], "1000"),
    "a strange name": (OUTPUTS, ["status", "--run", "a/b"], "a/b"),
}


@pytest.mark.parametrize(("outputs", "arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_reported(
    monkeypatch: pytest.MonkeyPatch,
    outputs: dict[str, str] | None,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack_with(monkeypatch, outputs)
    assert command.main(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("scripts/bulk.sh: ")
    assert message in shown


def test_an_inventory_of_another_format_is_refused(archive: Archive) -> None:
    archive.put("inv/manifest.json", json.dumps({"fileFormat": "Parquet"}).encode())
    with pytest.raises(BulkError):
        list(lists.in_inventory(archive.client, (ARCHIVE, "inv/manifest.json")))


@pytest.mark.parametrize("uri", ["bucket/key", "s3://bucket", "s3://bucket/", "http://a/b"])
def test_invalid_uris_are_refused(uri: str) -> None:
    with pytest.raises(BulkError):
        lists.parse_uri(uri)
