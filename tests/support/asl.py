"""Our reading of the Amazon States Language, for statemachine/bulk.asl.json.

moto's interpreter has no ItemBatcher, reads one page of a listing, and runs Lambda functions in
Docker. This one implements the fields that the definition uses, and refuses all others. It is not
Step Functions: it has no history, adds up the waiting times of retries without waiting, and runs
children in threads.

https://states-language.net/spec.html,
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

Json = Any
Function = Callable[[Json], Json]
FIELDS: dict[str, set[str]] = {
    "Pass": {"Parameters", "ResultPath"},
    "Choice": {"Choices", "Default"},
    "Fail": {"Error", "Cause"},
    "Succeed": set(),
    "Task": {"Resource", "Parameters", "OutputPath", "TimeoutSeconds", "Retry"},
    "Map": {
        *("ItemReader", "ItemBatcher", "ItemProcessor", "ResultWriter", "ResultPath", "Label"),
        *("MaxConcurrencyPath", "ToleratedFailurePercentagePath"),
    },
}
COMMON = {"Type", "Comment", "Next", "End"}
RETRY = {
    *("ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxDelaySeconds", "MaxAttempts"),
    "JitterStrategy",
}
MAX_PAYLOAD = 262_144
"""Largest input or output of a state in bytes
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


class UnknownField(Exception):
    """The definition has a field that this interpreter does not implement."""


class ExecutionFailed(Exception):
    """The execution ended with this error."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error


@dataclass
class Execution:
    """An execution and its statistics.

    Attributes:
        definition: The state machine, after substitutions.
        functions: Lambda functions by ARN. The class name of an exception is the error's name.
        s3: Client of boto3.
        name: Name of the execution.
        counts: Numbers of transitions (as billed), children, invocations and retries.
        waited_seconds: Waiting time before retries, without jitter.
        running: Largest number of children at the same time.
    """

    definition: Json
    functions: Mapping[str, Function]
    s3: Any
    name: str = "run-1"
    counts: Counter[str] = field(default_factory=Counter)
    waited_seconds: float = 0.0
    running: int = 0
    failed_items: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _now: int = 0

    def run(self, data: Json) -> Json:
        return self._machine(self.definition, data)

    def _machine(self, machine: Json, data: Json) -> Json:
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            kind = state["Type"]
            if unknown := set(state) - FIELDS[kind] - COMMON:
                raise UnknownField(f"{name}: {sorted(unknown)}")
            assert len(json.dumps(data)) <= MAX_PAYLOAD, f"{name}: States.DataLimitExceeded"
            self._count("Transitions")
            if kind == "Succeed":
                return data
            if kind == "Fail":
                raise ExecutionFailed(state["Error"], state["Cause"])
            if kind == "Choice":
                name = self._choose(state, data)
                continue
            result = {"Pass": self._pass, "Task": self._task, "Map": self._map}[kind](state, data)
            data = _placed(data, result, state.get("ResultPath", "$"))
            if "OutputPath" in state:
                data = self._value(state["OutputPath"], data)
            if state.get("End"):
                return data
            name = state["Next"]

    def _pass(self, state: Json, data: Json) -> Json:
        return self._filled(state["Parameters"], data)

    def _choose(self, state: Json, data: Json) -> str:
        for choice in state["Choices"]:
            assert set(choice) == {"Variable", "StringEquals", "Next"}
            if self._value(choice["Variable"], data) == choice["StringEquals"]:
                return str(choice["Next"])
        return str(state["Default"])

    def _task(self, state: Json, data: Json) -> Json:
        assert state["Resource"] == "arn:aws:states:::lambda:invoke"
        parameters = self._filled(state["Parameters"], data)
        assert set(parameters) == {"FunctionName", "Payload"}
        function = self.functions[parameters["FunctionName"]]
        attempts: Counter[int] = Counter()
        while True:
            self._count("Invocations")
            try:
                payload = json.loads(json.dumps(parameters["Payload"]))
                return {"StatusCode": 200, "Payload": json.loads(json.dumps(function(payload)))}
            except Exception as error:
                self._wait(state["Retry"], type(error).__name__, attempts, str(error))

    def _wait(self, retriers: Json, error: str, attempts: Counter[int], cause: str) -> None:
        """Count an attempt of the first retrier that names the error; fail if none is left."""
        for position, retrier in enumerate(retriers):
            assert set(retrier) <= RETRY
            if error not in retrier["ErrorEquals"]:
                continue
            if attempts[position] >= retrier["MaxAttempts"]:
                break
            seconds = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempts[position]
            attempts[position] += 1
            self._count("Retries")
            self._count("Transitions")
            with self._lock:
                self.waited_seconds += min(seconds, retrier.get("MaxDelaySeconds", seconds))
            return
        raise ExecutionFailed(error, cause)

    def _map(self, state: Json, data: Json) -> Json:
        limit = self._value(state["MaxConcurrencyPath"], data)
        tolerated = self._value(state["ToleratedFailurePercentagePath"], data)
        processor = state["ItemProcessor"]
        assert processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
        assert isinstance(limit, int)
        items = list(self._items(state["ItemReader"], data))
        batches = list(self._batches(state["ItemBatcher"], items, data))
        is_over = threading.Event()

        def child(batch: Json) -> Json:
            if is_over.is_set():
                return None
            self._count("Children")
            self._count("Transitions")
            with self._lock:
                self._now += 1
                self.running = max(self.running, self._now)
            try:
                return {"Status": "SUCCEEDED", "Output": self._machine(processor, batch)}
            except ExecutionFailed as error:
                with self._lock:
                    self.failed_items += len(batch["Items"])
                    if 100 * self.failed_items / len(items) > tolerated:
                        is_over.set()
                return {"Status": "FAILED", "Error": error.error}
            finally:
                with self._lock:
                    self._now -= 1

        with ThreadPoolExecutor(min(limit, 8)) as pool:
            results = [each for each in pool.map(child, batches) if each]
        self._write(state["ResultWriter"], results, data)
        if is_over.is_set():
            raise ExecutionFailed("States.ExceedToleratedFailureThreshold")
        return {"MapRunArn": f"{self.name}:map", "Batches": len(batches)}

    def _items(self, reader: Json, data: Json) -> Iterator[Json]:
        given = self._filled(reader["Parameters"], data)
        kind = reader.get("ReaderConfig", {}).get("InputType")
        if reader["Resource"] == "arn:aws:states:::s3:listObjectsV2":
            assert kind is None
            for page in self.s3.get_paginator("list_objects_v2").paginate(**given):
                for each in page.get("Contents", []):
                    yield {
                        "Etag": each["ETag"],
                        "Key": each["Key"],
                        "LastModified": int(each["LastModified"].timestamp()),
                        "Size": each["Size"],
                        "StorageClass": each["StorageClass"],
                    }
            return
        assert reader["Resource"] == "arn:aws:states:::s3:getObject"
        content = json.loads(self._object(given["Bucket"], given["Key"]))
        if kind == "JSON":
            yield from content
            return
        assert kind == "MANIFEST"
        names = [name.strip() for name in content["fileSchema"].split(",")]
        bucket = content["destinationBucket"].removeprefix("arn:aws:s3:::")
        for file in content["files"]:
            text = gzip.decompress(self._object(bucket, file["key"])).decode()
            for row in csv.reader(io.StringIO(text)):
                yield dict(zip(names, row, strict=True))

    def _batches(self, batcher: Json, items: list[Json], data: Json) -> Iterator[Json]:
        assert set(batcher) == {"MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "BatchInput"}
        most = self._value(batcher["MaxItemsPerBatchPath"], data)
        common = {"BatchInput": self._filled(batcher["BatchInput"], data)}
        batch: list[Json] = []
        size = 0
        for item in items:
            length = len(json.dumps(item)) + 2
            if batch and (len(batch) == most or size + length > batcher["MaxInputBytesPerBatch"]):
                yield {**common, "Items": batch}
                batch, size = [], 0
            batch.append(item)
            size += length
        if batch:
            yield {**common, "Items": batch}

    def _write(self, writer: Json, results: list[Json], data: Json) -> None:
        assert writer["Resource"] == "arn:aws:states:::s3:putObject"
        place = self._filled(writer["Parameters"], data)
        for status in {each["Status"] for each in results}:
            chosen = [each for each in results if each["Status"] == status]
            key = f"{place['Prefix']}/map/{status}_0.json"
            self.s3.put_object(Bucket=place["Bucket"], Key=key, Body=json.dumps(chosen).encode())

    def _filled(self, template: Json, data: Json) -> Json:
        """Return a payload template with its `.$` fields evaluated."""
        if not isinstance(template, dict):
            return template
        return {
            name.removesuffix(".$"): self._value(value, data)
            if name.endswith(".$")
            else self._filled(value, data)
            for name, value in template.items()
        }

    def _value(self, expression: str, data: Json) -> Json:
        if match := re.fullmatch(r"States\.StringToJson\('(.*)'\)", expression):
            return json.loads(match[1])
        if match := re.fullmatch(r"States\.Format\('(.*)', (.*)\)", expression):
            return match[1].replace("{}", str(self._value(match[2], data)))
        if expression == "$$.Execution.Name":
            return self.name
        assert re.fullmatch(r"\$(\.[A-Za-z]+)*", expression), expression
        for name in expression.split(".")[1:]:
            data = data[name]
        return data

    def _object(self, bucket: str, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def _count(self, name: str) -> None:
        with self._lock:
            self.counts[name] += 1


def substituted(text: str, values: Mapping[str, str]) -> Json:
    """Return a definition with every `${Name}` replaced, as CloudFormation does."""
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return json.loads(text)


def _placed(data: Json, result: Json, path: str) -> Json:
    if path == "$":
        return result
    return {**data, path.removeprefix("$."): result}
