from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.event import Request
from gateway.parts import FormFile, UrlField
from inference.errors import NotAnImage
from inference.types import Detection
from service.metrics import emf_line
from service.results import Result, Timing
from service.settings import Settings
from tests.support.events import load_event
from tests.support.handlers import Handler, make_handler
from tests.support.models import fake_pipeline

REQUEST = Request("POST", "/predict", {"authorization": "secret"}, {}, "secret", True, "id-1")
CAR = Detection((0, 0, 4, 6), "car", 0.9)
RESULTS = [
    Result(FormFile(b"", "secret.jpg"), [CAR, CAR], (8, 6), timing=Timing(0, 2.04, 30.06)),
    Result(FormFile(b""), error=NotAnImage("secret")),
    Result(UrlField("http://secret/"), [CAR], (8, 6), timing=Timing(100.0, 3.0, 20.0)),
]


def line(results: list[Result] = RESULTS) -> str:
    return emf_line("Matchvec", REQUEST, 200, None, results, is_cold_start=True, timestamp_ms=1_000)


def test_a_request() -> None:
    assert json.loads(line()) == {
        "_aws": {
            "Timestamp": 1000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Matchvec",
                    "Dimensions": [["Route"], []],
                    "Metrics": [
                        {"Name": "Requests", "Unit": "Count"},
                        {"Name": "ColdStarts", "Unit": "Count"},
                        {"Name": "Pictures", "Unit": "Count"},
                        {"Name": "Detections", "Unit": "Count"},
                        {"Name": "not_an_image", "Unit": "Count"},
                        {"Name": "FetchTime", "Unit": "Milliseconds"},
                        {"Name": "DecodeTime", "Unit": "Milliseconds"},
                        {"Name": "InferenceTime", "Unit": "Milliseconds"},
                    ],
                }
            ],
        },
        "Route": "predict",
        "Status": 200,
        "Version": "",
        "RequestId": "id-1",
        "Requests": 1,
        "ColdStarts": 1,
        "Pictures": 3,
        "Detections": 3,
        "not_an_image": 1,
        "FetchTime": [100.0],
        "DecodeTime": [2.0, 3.0],
        "InferenceTime": [30.1, 20.0],
    }


@pytest.mark.promise("no-forged-log")
def test_nothing_that_a_client_sent_is_in_it() -> None:
    assert "secret" not in line()


def test_a_shape_is_no_detection() -> None:
    results = [Result(FormFile(b""), (6, 8, 3), (8, 6), timing=Timing(0, 1.0, 1.0))]

    assert json.loads(line(results))["Detections"] == 0


def test_the_handler_counts_every_request_on_standard_output(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = make_handler(
        replace(settings, metrics_namespace="Matchvec"), load=lambda _: fake_pipeline()
    )
    for name in ("rest_predict", "error_no_body", "error_unknown_route", "rest_health"):
        handler(load_event(name), None)
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines()]

    assert [(each["Route"], each["Status"], each["ColdStarts"]) for each in lines] == [
        ("predict", 200, 1),
        ("predict", 400, 0),
        ("none", 404, 0),
        ("health", 200, 0),
    ]
    assert lines[0]["Detections"] == 1
    assert lines[1]["malformed_body"] == 1
    assert lines[2]["unknown_route"] == 1


def test_nothing_is_printed_without_a_namespace(
    handler: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(load_event("rest_predict"), None)

    assert capsys.readouterr().out == ""
