"""The check of a new version, against the real handler and against broken ones."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from hooks import pre_traffic
from tests.support.handlers import Handler

SAMPLES = Path(__file__).parents[2] / "samples"
VERSION = "arn:aws:lambda:eu-west-1:123456789012:function:matchvec:7"
DEPLOYMENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}


@pytest.fixture(autouse=True)
def _samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The build puts them next to the module."""
    monkeypatch.setattr(pre_traffic, "SAMPLES", SAMPLES)


def test_the_embedded_models_pass(embedded_handler: Handler) -> None:
    assert pre_traffic.find_problems(lambda event: embedded_handler(event, None)) == []


def changed(handler: Handler, change: Callable[[dict[str, Any]], Any]) -> pre_traffic.Invoke:
    """The handler with something wrong in its answers to /predict with pictures."""

    def invoke(event: dict[str, Any]) -> Any:
        answer = handler(event, None)
        return change(answer) if event["httpMethod"] == "POST" else answer

    return invoke


def with_body(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], Any]:
    def apply(answer: dict[str, Any]) -> dict[str, Any]:
        body = json.loads(answer["body"])
        change(body)
        return {**answer, "body": json.dumps(body)}

    return apply


def lose_a_picture(body: dict[str, Any]) -> None:
    del body["images"][1]


def fail_a_picture(body: dict[str, Any]) -> None:
    body["images"][0]["error"] = {"code": "not_an_image", "message": "?"}


def find_nothing(body: dict[str, Any]) -> None:
    for image in body["images"]:
        image["predictions"] = []


def take_anything(body: dict[str, Any]) -> None:
    body["images"][3]["error"] = None


BROKEN = {
    "a crash": (lambda _: {"errorMessage": "x", "errorType": "MemoryError"}, "/predict answers"),
    "no answer": (lambda _: None, "/predict answers None"),
    "a refusal": (lambda answer: {**answer, "statusCode": 503}, "/predict answers"),
    "a picture less": (with_body(lose_a_picture), "/predict answers for"),
    "a failed picture": (with_body(fail_a_picture), "car.jpg: {'code': 'not_an_image'"),
    "nothing found": (with_body(find_nothing), "car.jpg: no car among []"),
    "anything is a picture": (with_body(take_anything), "notes.txt was accepted as a picture"),
}


@pytest.mark.parametrize(("change", "problem"), BROKEN.values(), ids=BROKEN)
def test_broken_answers_fail(
    embedded_handler: Handler, change: Callable[[dict[str, Any]], Any], problem: str
) -> None:
    problems = pre_traffic.find_problems(changed(embedded_handler, change))

    assert problems
    assert problems[0].startswith(problem)


def test_a_function_that_is_not_well_fails() -> None:
    problems = pre_traffic.find_problems(lambda _: {"statusCode": 503})

    assert [problem.split(" answers")[0] for problem in problems] == [
        "/health",
        "OPTIONS /predict",
        "/predict",
    ]


def test_other_detectors_need_not_find_our_classes(handler: Handler) -> None:
    """The one of the fixture finds a car and a person on everything."""
    assert pre_traffic.find_problems(lambda event: handler(event, None)) == []


class Aws:
    """Lambda and CodeDeploy, as far as the hook calls them."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any]) -> None:
        self.answer = answer
        self.versions: set[str] = set()
        self.reports: list[dict[str, str]] = []

    def client(self, _: str) -> Aws:
        return self

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.versions.add(FunctionName)
        answer = json.dumps(self.answer(json.loads(Payload))).encode()
        return {"Payload": io.BytesIO(answer)}

    def put_lifecycle_event_hook_execution_status(self, **report: str) -> None:
        self.reports.append(report)


def crash(_: dict[str, Any]) -> Any:
    raise ConnectionError("throttled")


@pytest.mark.parametrize(
    ("is_good", "status"), [(True, "Succeeded"), (False, "Failed")], ids=["good", "crashing"]
)
def test_codedeploy_is_told(
    monkeypatch: pytest.MonkeyPatch, embedded_handler: Handler, is_good: bool, status: str
) -> None:
    aws = Aws((lambda event: embedded_handler(event, None)) if is_good else crash)
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("NEW_VERSION", VERSION)

    pre_traffic.handler(DEPLOYMENT, None)

    assert aws.versions == {VERSION}
    assert aws.reports == [
        {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status}
    ]
