"""Metrics of a request, as one line of CloudWatch's embedded metric format.

The line is printed to standard output as bare JSON, since a logger would wrap it. No service is
called.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gateway.event import Request
from gateway.routes import route_of
from service.results import Result

MAX_VALUES = 100
"""Largest number of values of one metric in one line."""


def emf_line(
    namespace: str,
    request: Request,
    status: int,
    error_code: str | None,
    results: Sequence[Result],
    *,
    is_cold_start: bool,
    timestamp_ms: int,
    version: str = "",
) -> str:
    """Return the metrics line of a request.

    It holds the request's id, route and status, counts and times. It never holds a body, a file
    name, a url or a header, so that nothing a client sends appears in the log.

    Args:
        namespace: Namespace of the metrics in CloudWatch.
        request: Request of the client.
        status: HTTP status of the response.
        error_code: Code of the error if the whole request was refused, else None.
        results: Results of the request's parts.
        is_cold_start: True for the first request of the execution environment.
        timestamp_ms: Milliseconds since 1970.
        version: Version of the Lambda function. Alarms of a deployment filter by it.
    """
    timings = [result.timing for result in results[:MAX_VALUES]]
    failures = Counter(result.error.code for result in results if result.error)
    if error_code:
        failures[error_code] += 1
    counts: dict[str, int] = {
        "Requests": 1,
        "ColdStarts": int(is_cold_start),
        "Pictures": len(results),
        "Detections": sum(len(result.objects) for result in results),
        **failures,
    }
    times: dict[str, list[float]] = {
        "FetchTime": [round(each.fetch, 1) for each in timings if each.fetch],
        "DecodeTime": [round(each.decode, 1) for each in timings if each.decode],
        "InferenceTime": [round(each.inference, 1) for each in timings if each.inference],
    }
    times = {name: values for name, values in times.items() if values}
    metrics = [{"Name": name, "Unit": "Count"} for name in counts]
    metrics += [{"Name": name, "Unit": "Milliseconds"} for name in times]
    line: dict[str, Any] = {
        "_aws": {
            "Timestamp": timestamp_ms,
            "CloudWatchMetrics": [
                {"Namespace": namespace, "Dimensions": [["Route"], []], "Metrics": metrics}
            ],
        },
        "Route": route_of(request.path) or "none",
        "Status": status,
        "Version": version,
        "RequestId": request.request_id,
        **counts,
        **times,
    }
    return json.dumps(line)
