"""statemachine/bulk.asl.json is valid and behaves as documented."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import Any
from urllib.parse import quote_plus

import cfnlint.data.schemas.other.step_functions as schemas
import pytest
from cfnlint.helpers import load_resource
from cfnlint.jsonschema import StandardValidator
from moto.stepfunctions.parser.asl.parse.asl_parser import (
    AmazonStateLanguageParser,
    ASLParserException,
)

from gateway.routes import Route
from matchvec_client.bulk import lists
from service.batch.handler import BatchFailed, TransientFailures
from service.batch.items import URL_ENCODED
from service.batch.rows import RESULTS
from tests.support.archive import ARCHIVE, DEFINITION, RESULTS_BUCKET, Archive, always
from tests.support.asl import ExecutionFailed
from tests.support.pictures import plain

STATES = json.loads(DEFINITION.read_text())["States"]
SOURCES = ("Prefix", "Inventory", "Manifest")


def schema_errors(definition: Any) -> list[str]:
    validator = StandardValidator(load_resource(schemas, "statemachine.json"))
    return [error.message for error in validator.iter_errors(definition)]


def test_it_matches_cfn_lints_schema() -> None:
    assert schema_errors(json.loads(DEFINITION.read_text().replace("${Partition}", "aws"))) == []


def test_the_schema_would_find_a_mistake() -> None:
    definition = json.loads(DEFINITION.read_text())
    definition["States"]["Prefix"]["ItemBatchr"] = definition["States"]["Prefix"]["ItemBatcher"]
    assert schema_errors(definition)


def test_moto_does_not_support_batches_yet() -> None:
    """Show why tests/support/asl.py exists; once this fails, moto may be enough."""
    with pytest.raises(ASLParserException, match="ItemBatcher"):
        AmazonStateLanguageParser.parse(DEFINITION.read_text())


def test_names_are_unique_and_every_next_exists() -> None:
    names = [
        *STATES,
        *(name for each in SOURCES for name in STATES[each]["ItemProcessor"]["States"]),
    ]
    assert len(names) == len(set(names))
    targets = {state["Next"] for state in STATES.values() if "Next" in state}
    targets |= {choice["Next"] for choice in STATES["Source"]["Choices"]}
    assert targets | {"Limits", STATES["Source"]["Default"]} == set(STATES)


def test_the_three_sources_differ_only_in_their_reader() -> None:
    def rest(name: str) -> Any:
        text = json.dumps(STATES[name]).replace(f"{name}Batch", "Batch")
        return {
            key: value
            for key, value in json.loads(text).items()
            if key not in ("ItemReader", "Comment", "Label")
        }

    assert rest("Prefix") == rest("Inventory") == rest("Manifest")
    sources = {choice["StringEquals"]: choice["Next"] for choice in STATES["Source"]["Choices"]}
    assert sources == {"prefix": "Prefix", URL_ENCODED: "Inventory", "manifest": "Manifest"}


def test_retried_errors() -> None:
    task = STATES["Prefix"]["ItemProcessor"]["States"]["PrefixBatch"]
    attempts = {
        error: retrier["MaxAttempts"]
        for retrier in task["Retry"]
        for error in retrier["ErrorEquals"]
    }
    assert attempts["Lambda.TooManyRequestsException"] == 12
    # The function raises it until the last attempt, which it counts itself.
    assert attempts[TransientFailures.__name__] == task["Parameters"]["Payload"]["MaxAttempts"] - 1
    assert BatchFailed.__name__ not in attempts
    assert "States.ALL" not in attempts
    assert {retrier["BackoffRate"] > 1 for retrier in task["Retry"]} == {True}


def put_pictures(archive: Archive, count: int) -> list[str]:
    keys = [f"a/{number:03} +ö.png" for number in range(count)]
    for key in keys:
        archive.put(key, plain())
    return keys


def answered(archive: Archive, handler: Any) -> list[str]:
    model = handler({"Describe": "predict"}, None)["Model"]
    found = lists.rows(archive.client, RESULTS_BUCKET, RESULTS, model, Route.PREDICT)
    return [row["key"] for row in found]


def fields(**more: Any) -> dict[str, Any]:
    return {"Bucket": ARCHIVE, "Route": "predict", "ItemsPerBatch": 10, **more}


def test_an_inventory(archive: Archive) -> None:
    keys = put_pictures(archive, 25)
    lines = "".join(f'"{ARCHIVE}","{quote_plus(key, safe="/")}","73"\n' for key in keys)
    archive.put("inv/data/1.csv.gz", gzip.compress(lines[: len(lines) // 25 * 10].encode()))
    archive.put("inv/data/2.csv.gz", gzip.compress(lines[len(lines) // 25 * 10 :].encode()))
    manifest = {
        "sourceBucket": ARCHIVE,
        "destinationBucket": f"arn:aws:s3:::{ARCHIVE}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "inv/data/1.csv.gz"}, {"key": "inv/data/2.csv.gz"}],
    }
    archive.put("inv/manifest.json", json.dumps(manifest).encode())
    place = (ARCHIVE, "inv/manifest.json")
    handler = archive.handler()

    run = archive.execution(handler)
    run.run(fields(Source="inventory", List={"Bucket": place[0], "Key": place[1]}))

    assert Counter(answered(archive, handler)) == Counter(keys)
    assert run.counts["Children"] == 3
    assert [item.key for item in lists.in_inventory(archive.client, place)] == keys


def test_the_parameter_limits_concurrency(archive: Archive) -> None:
    put_pictures(archive, 60)
    run = archive.execution(archive.handler(), concurrency=2)
    run.run(fields(Source="prefix", Prefix="a/"))

    assert run.running <= 2
    assert run.counts["Children"] == 6


def test_a_run_without_permission_ends_early(archive: Archive) -> None:
    for key in put_pictures(archive, 400):
        archive.s3.faults[key] = always("AccessDenied")
    run = archive.execution(archive.handler(), concurrency=2, tolerated=5)

    with pytest.raises(ExecutionFailed, match="ExceedToleratedFailureThreshold"):
        run.run(fields(Source="prefix", Prefix="a/"))
    assert run.counts["Children"] < 10, "of 40"
    assert run.counts["Invocations"] == 4 * run.counts["Children"]


def test_an_unknown_source_fails(archive: Archive) -> None:
    with pytest.raises(ExecutionFailed, match="UnknownSource"):
        archive.execution(archive.handler()).run(fields(Source="queue"))


def test_throttled_calls_back_off(archive: Archive) -> None:
    put_pictures(archive, 5)
    handler = archive.handler()
    run = archive.execution(handler)
    refusals = iter([True] * 5)

    def throttled(event: Any) -> Any:
        if next(refusals, False):
            raise type("Lambda.TooManyRequestsException", (Exception,), {})("Rate exceeded")
        return handler(event, None)

    run.functions = dict.fromkeys(run.functions, throttled)
    run.run(fields(Source="prefix", Prefix="a/"))

    assert len(answered(archive, handler)) == 5
    assert run.waited_seconds == 2 + 4 + 8 + 16 + 32
