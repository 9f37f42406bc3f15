"""No answer contains secrets, and no client can write into the log."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.fetch import Fetcher
from inference.decoding.source import ImageSource
from inference.errors import ModelUnavailable
from inference.pipeline import Pipeline
from service.settings import Settings
from tests.support.answers import check_well_formed
from tests.support.events import EVENTS, form_event, load_event, rest_event, upload
from tests.support.handlers import make_handler
from tests.support.models import fake_pipeline
from tests.support.network import FakeNetwork
from tests.support.pictures import plain

SECRETS = {
    "AWS_ACCESS_KEY_ID": "secret-access-key-id",
    "AWS_SECRET_ACCESS_KEY": "secret-access-key",
    "AWS_SESSION_TOKEN": "secret-session-token",
    "AWS_LAMBDA_RUNTIME_API": "secret-runtime-api",
    "DATABASE_PASSWORD": "secret-password",
}
INSIDE = re.compile(
    r"Traceback|\.py\b|line \d+|/var/task|site-packages|secret|Error\b|"
    + "|".join(map(re.escape, {str(Path.cwd()), str(Path.home()) + "/"}))
)
"""Texts that an answer must not contain."""


class Broken(Pipeline):
    """Fails with every picture, and says what nobody but the operator may read."""

    def predict_objects(self, source: ImageSource, threshold: float) -> Any:
        raise RuntimeError(f"secret {os.environ['AWS_SECRET_ACCESS_KEY']} in {__file__}")


def broken_pipeline(_settings: Settings) -> Pipeline:
    whole = fake_pipeline()
    return Broken(whole.detector, whole.classifiers, whole.min_area, whole.max_car_truck_iou)


def no_pipeline(_settings: Settings) -> Pipeline:
    raise ModelUnavailable(f"secret file {__file__}")


def no_resolver(host: str, _port: int) -> list[str]:
    raise RuntimeError(f"secret resolver failed for {host}")


PIPELINES: dict[str, Callable[[Settings], Pipeline]] = {
    "well": lambda _: fake_pipeline(),
    "failing": broken_pipeline,
    "missing": no_pipeline,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.DEBUG)


@pytest.mark.promise("no-secrets-in-answers")
@pytest.mark.parametrize("load", PIPELINES.values(), ids=PIPELINES)
def test_no_answer_shows_what_is_inside(
    load: Callable[[Settings], Pipeline], settings: Settings
) -> None:
    fetcher = Fetcher(1000, 5, resolver=no_resolver)
    handler = make_handler(settings, fetcher, load=load)
    events = [load_event(path.stem) for path in sorted(EVENTS.glob("*.json"))]
    events += [
        form_event(path, upload(plain()), ("url", "http://a.example/"), query=query)
        for path in ("/predict", "/object_detection", "/shape")
        for query in (None, {"details": "true"})
    ]
    for event in events:
        response = handler(event, None)

        check_well_formed(response)
        assert not INSIDE.search(json.dumps(response)), response


@pytest.mark.promise("environment-not-logged")
def test_the_environment_is_not_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with_metrics = replace(settings, metrics_namespace="Matchvec")
    for load in (PIPELINES["well"], no_pipeline):
        handler = make_handler(with_metrics, FakeNetwork().fetcher(), load=load)
        for path in EVENTS.glob("*.json"):
            handler(load_event(path.stem), None)
    log = caplog.text + "".join(capfd.readouterr())

    assert "request" in log
    assert [value for value in SECRETS.values() if value in log] == []


PRIVATE: dict[str, dict[str, Any]] = {
    "password in a url": form_event("/shape", ("url", "http://user:private@a.example/")),
    "password in a broken url": form_event("/shape", ("url", "http:/user:private@a.example/")),
    "signature in a url": form_event("/shape", ("url", "http://a.example/b?Signature=private")),
    "url in another url": form_event("/shape", ("url", "ftp://private@a.example/?private")),
    "Authorization": {
        **form_event("/shape", upload(plain())),
        "headers": {"Authorization": "Bearer private", "Content-Type": "image/png"},
    },
    "Cookie": {**rest_event("/shape"), "headers": {"Cookie": "session=private"}},
    "X-Api-Key": {**rest_event("/shape"), "headers": {"X-Api-Key": "private"}},
    "identity": {
        **rest_event("/shape"),
        "requestContext": {"identity": {"apiKey": "private", "accessKey": "private"}},
    },
    "other option": rest_event("/health", method="GET", query={"token": "private"}),
    "other field": form_event("/shape", ("password", "private"), upload(plain())),
}


@pytest.mark.promise("client-secrets")
@pytest.mark.parametrize("event", PRIVATE.values(), ids=PRIVATE)
def test_what_is_the_client_s_own_is_neither_answered_nor_logged(
    event: dict[str, Any],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with_metrics = replace(settings, metrics_namespace="Matchvec")
    fetchers = (FakeNetwork().fetcher(), Fetcher(1000, 5, resolver=no_resolver))
    for load in PIPELINES.values():
        for fetcher in fetchers:
            handler = make_handler(with_metrics, fetcher, load=load)
            query = {**(event["queryStringParameters"] or {}), "details": "true"}
            response = handler({**event, "queryStringParameters": query}, None)

            assert "private" not in json.dumps(response)

    assert "private" not in caplog.text + "".join(capfd.readouterr())


FORGED = "\r\nERROR forged\x1b[31m\x00\u2028forged"


def forged_form(disposition: str, content: bytes = b"x") -> dict[str, Any]:
    """A form with one part, whose header is written without any client's care."""
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    body = head + content + b"\r\n--b--\r\n"
    return rest_event("/predict", "multipart/form-data; boundary=b", body)


FORGERIES: dict[str, dict[str, Any]] = {
    "file name": forged_form(f'name="image"; filename="{FORGED}"', plain()),
    "file name, encoded": forged_form('name="image"; filename="%0D%0Aforged"', plain()),
    "file name, RFC 5987": forged_form("name=\"image\"; filename*=UTF-8''%0D%0Aforged", plain()),
    "field name": forged_form(f'name="{FORGED}"'),
    "field name, encoded": forged_form('name="%0D%0Aforged"'),
    "url": forged_form('name="url"', f"http://a.example/{FORGED}".encode()),
    "url, encoded": forged_form('name="url"', b"http://a.example/%0D%0Aforged"),
    "url's host": forged_form('name="url"', f"http://{FORGED}/".encode()),
    "header": {**rest_event("/predict"), "headers": {"X-Forged": FORGED, FORGED: "x"}},
    "Content-Type": rest_event("/predict", FORGED, b"x"),
    "boundary": rest_event("/predict", f"multipart/form-data; boundary={FORGED}", b"x"),
    "path": rest_event(f"/predict{FORGED}"),
    "path, encoded": rest_event("/predict%0D%0Aforged"),
    "method": rest_event("/predict", method=FORGED),
    "option": form_event("/predict", upload(plain()), query={"top": FORGED}),
    "option's name": form_event("/predict", upload(plain()), query={FORGED: FORGED}),
    "request id": {
        **form_event("/predict", upload(plain())),
        "requestContext": {"requestId": FORGED},
    },
}


@pytest.mark.promise("no-forged-log")
@pytest.mark.parametrize("load", PIPELINES.values(), ids=PIPELINES)
@pytest.mark.parametrize("event", FORGERIES.values(), ids=FORGERIES)
def test_a_client_can_not_write_into_the_log(
    event: dict[str, Any],
    load: Callable[[Settings], Pipeline],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with_metrics = replace(settings, metrics_namespace="Matchvec")
    response = make_handler(with_metrics, FakeNetwork().fetcher(), load=load)(event, None)
    printed, errors = capfd.readouterr()

    check_well_formed(response)
    assert "forged" not in json.dumps(response["headers"])
    assert "forged" not in caplog.text + errors + printed
    assert [type(json.loads(line)) for line in printed.splitlines()] == [dict]
