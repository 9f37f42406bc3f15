"""The API answers as its definition says, for requests that schemathesis generates.

For each operation it sends what the definition allows and what it does not; every answer has a
status, a content type, header fields and a body that the definition knows, and none is a 5xx.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup, MalformedJson, ServerError
from schemathesis.core.result import Ok
from schemathesis.openapi.checks import JsonSchemaError, UndefinedContentType, UndefinedStatusCode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scripts.definition import for_clients
from service.settings import Settings
from tests.support.handlers import make_handler
from tests.support.in_process import URL, session_to
from tests.support.local_api import ROOT, local_api
from tests.support.models import fake_pipeline
from tests.support.network import FakeNetwork, http_answer
from tests.support.pictures import plain
from tests.support.strategies import examples
from tests.support.upload_bucket import UploadBucket

DEFINITION: dict[str, Any] = yaml.safe_load((ROOT / "swagger.yaml").read_text(encoding="utf-8"))
BINARY_MEDIA_TYPES: list[str] = DEFINITION["x-amazon-apigateway-binary-media-types"]
SCHEMA = schemathesis.openapi.from_dict(for_clients(DEFINITION))


def operations() -> Iterator[Any]:
    for result in SCHEMA.get_all_operations():
        assert isinstance(result, Ok), result
        yield result.ok()


OPERATIONS = {operation.label: operation for operation in operations()}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ACCEPTED = ("*/*", "application/json", "image/jpeg", "image/png, */*", "text/html")
FEW = 15
MANY = 60

PICTURES = st.sampled_from((plain(), plain(1, 1), plain(5, 3)[:40], b"\x89PNG\r\n\x1a\n"))
URLS = ("http://a.example/b.png", "http://a.example/gone", "file:///etc/passwd", "http://[::1/")
schemathesis.openapi.format("binary", PICTURES | st.binary(max_size=60))
schemathesis.openapi.format("uri", st.sampled_from(URLS) | st.text(max_size=20))
for media_type in BINARY_MEDIA_TYPES[1:]:
    schemathesis.openapi.media_type(media_type, PICTURES | st.binary(max_size=60))


@pytest.fixture(scope="module")
def in_process() -> requests.Session:
    network = FakeNetwork({"a.example/b.png": http_answer(plain(5, 3))})
    settings = Settings.from_environment({})
    handler = make_handler(
        settings, network.fetcher(), load=lambda _: fake_pipeline(), uploads=UploadBucket()
    )
    return session_to(handler, BINARY_MEDIA_TYPES)


def exercise(
    name: str, mode: GenerationMode, count: int, url: str, session: requests.Session
) -> Counter[int]:
    """Send so many requests of an operation, check the answers, and count their statuses."""
    statuses: Counter[int] = Counter()
    cases = OPERATIONS[name].as_strategy(generation_mode=mode)

    @examples(count)
    @given(case=cases, accept=st.sampled_from(ACCEPTED))
    def send(case: Any, accept: str) -> None:
        headers = {"Accept": accept}
        response = case.call(base_url=url, session=session, headers=headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS, headers=headers)

    send()
    return statuses


CASES = [
    (name, mode)
    for name, mode in product(OPERATIONS, GenerationMode)
    if mode is GenerationMode.POSITIVE or name.startswith("POST")  # A GET has nothing to get wrong.
]
each_case = pytest.mark.parametrize(
    ("name", "mode"), CASES, ids=[f"{name} {mode.value}" for name, mode in CASES]
)


@pytest.mark.promise("answers-match-definition")
@each_case
def test_the_handler_answers_as_the_definition_says(
    name: str, mode: GenerationMode, in_process: requests.Session
) -> None:
    statuses = exercise(name, mode, FEW, URL, in_process)

    assert statuses[200 if mode is GenerationMode.POSITIVE else 400] > 0


@pytest.mark.slow
@each_case
def test_so_it_does_in_the_long_run(
    name: str, mode: GenerationMode, in_process: requests.Session
) -> None:
    statuses = exercise(name, mode, MANY, URL, in_process)

    assert statuses[200 if mode is GenerationMode.POSITIVE else 400] > 0


@pytest.mark.promise("answers-match-definition")
@pytest.mark.slow
def test_the_local_api_answers_as_the_definition_says(tmp_path: Path) -> None:
    with local_api(tmp_path / "log", URL_FETCH="off") as api, requests.Session() as session:
        for name, mode in CASES:
            assert exercise(name, mode, FEW, api.url, session)


Change = dict[str, Any]
WRONG: dict[str, tuple[Change, type[Exception]]] = {
    "a status that is not documented": ({"statusCode": 418}, UndefinedStatusCode),
    "a fault of the server's": ({"statusCode": 500}, ServerError),
    "another content type": ({"headers": {"Content-Type": "text/plain"}}, UndefinedContentType),
    "another shape": ({"body": '[["a"]]'}, JsonSchemaError),
    "no JSON": ({"body": "["}, MalformedJson),
}


@pytest.mark.parametrize(("change", "failure"), WRONG.values(), ids=WRONG)
def test_an_answer_that_the_definition_does_not_know_is_noticed(
    change: Change, failure: type[Exception], in_process: requests.Session
) -> None:
    right = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "[[]]"}
    answer = {**right, "isBase64Encoded": False}
    handler: Any = lambda _event, _context: {**answer, **change}  # noqa: E731  Stands in for one.
    with pytest.raises(FailureGroup) as failed:
        exercise(
            "POST /shape", GenerationMode.POSITIVE, 1, URL, session_to(handler, BINARY_MEDIA_TYPES)
        )

    assert failed.value.subgroup(failure)
