"""An archive of pictures in moto's S3, with injected faults, and the batch function."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws
from moto.s3.models import s3_backends

from gateway.deadline import Clock
from gateway.routes import Route
from inference.pipeline import Pipeline
from service.batch.app import make_batch_app
from service.batch.handler import handle_batch
from service.batch.s3_objects import Objects
from service.settings import Settings
from tests.support.asl import Execution, substituted
from tests.support.handlers import build_app
from tests.support.models import fake_pipeline

REGION = "eu-west-1"
ACCOUNT = "123456789012"
ARCHIVE = "pictures"
RESULTS_BUCKET = "rows"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:batch"
DEFINITION = Path(__file__).parent.parent.parent / "statemachine" / "bulk.asl.json"
BatchHandler = Callable[[Any, object], dict[str, Any]]
Fault = Callable[[int], Exception | None]
"""Maps the number of reads of an object to the error of this read, or None."""


def refused(code: str, status: int = 503) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError(
        {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": metadata}, "GetObject"
    )


def always(code: str) -> Fault:
    return lambda _: refused(code)


def first(times: int, code: str = "SlowDown") -> Fault:
    return lambda count: refused(code) if count <= times else None


def timed_out(times: int) -> Fault:
    return lambda count: ReadTimeoutError(endpoint_url="s3") if count <= times else None


class FaultyS3:
    """moto's S3 client, where some reads fail.

    Attributes:
        faults: Fault per key of the archive.
        reads: Number of reads per key of the archive.
        writes: Number of writes per key of the results.
        is_direct: True to read pictures without boto3, which takes 4 ms per picture.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.faults: dict[str, Fault] = {}
        self.reads: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.is_direct = False

    def get_object(self, **arguments: Any) -> Any:
        key = arguments["Key"]
        if arguments["Bucket"] == ARCHIVE:
            with self._lock:
                self.reads[key] += 1
            fault = self.faults.get(key)
            if fault and (error := fault(self.reads[key])):
                raise error
            if self.is_direct:
                return _read_directly(key, arguments["IfMatch"])
        return self._client.get_object(**arguments)

    def put_object(self, **arguments: Any) -> Any:
        with self._lock:
            self.writes[arguments["Key"]] += 1
        return self._client.put_object(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def _read_directly(key: str, etag: str) -> dict[str, Any]:
    found = s3_backends[ACCOUNT]["aws"].get_object(ARCHIVE, key)
    if found is None or found.etag != etag:
        raise refused("NoSuchKey" if found is None else "PreconditionFailed")
    content = found.value
    return {"Body": io.BytesIO(content), "ContentLength": len(content), "ETag": etag}


class Archive:
    """A bucket of pictures, a bucket of rows, and the function that reads and writes them."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.s3 = FaultyS3(client)
        for bucket in (ARCHIVE, RESULTS_BUCKET):
            client.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )

    def put(self, key: str, content: bytes) -> None:
        """Store an object without HTTP, which would take seconds for ten thousand objects."""
        s3_backends[ACCOUNT]["aws"].put_object(ARCHIVE, key, content)

    def handler(
        self,
        *,
        load: Callable[[], Pipeline] = fake_pipeline,
        tolerated: float = 5,
        results_bucket: str = RESULTS_BUCKET,
        clock: Clock = time.monotonic,
        variables: Mapping[str, str] | None = None,
    ) -> BatchHandler:
        """Return the handler of the batch function; `load` replaces the fake models."""
        api = build_app(
            Settings.from_environment(variables or {}), load=lambda _: load(), clock=clock
        )
        environ = {
            "RESULTS_BUCKET": results_bucket,
            "MAX_OBJECT_BYTES": "1000000",
            "TOLERATED_FAILURE_PERCENTAGE": str(tolerated),
        }
        app = make_batch_app(api, environ, Objects(self.s3))
        return lambda event, context: handle_batch(app, event, context)

    def execution(
        self, handler: BatchHandler, concurrency: int = 50, tolerated: float = 5, name: str = "run"
    ) -> Execution:
        values = {
            "Partition": "aws",
            "FunctionArn": FUNCTION,
            "ResultsBucket": RESULTS_BUCKET,
            "MaxConcurrency": str(concurrency),
            "ToleratedFailurePercentage": str(tolerated),
        }
        definition = substituted(DEFINITION.read_text(), values)
        return Execution(definition, {FUNCTION: lambda event: handler(event, None)}, self.s3, name)


def batch_event(*keys: str, attempts: int = 4, route: Route = Route.PREDICT) -> dict[str, Any]:
    return {
        "BatchInput": {"Bucket": ARCHIVE, "Route": str(route), "Source": "prefix"},
        "Items": [{"Key": key} for key in keys],
        "MaxAttempts": attempts,
    }


@cache
def session() -> Any:
    """Return one session for all tests: botocore reads megabytes of models per session."""
    return boto3.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION
    )


@contextmanager
def archive_in_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    with mock_aws():
        yield Archive(session().client("s3"))
