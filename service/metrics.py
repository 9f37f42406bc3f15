"""What a request did, as one line that CloudWatch turns into metrics.

The embedded metric format: no call to any service, only a line on standard output, which has to
be bare JSON. A logger would wrap it.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gateway.event import Request
from gateway.routes import Route
from service.pictures import Result

MAX_VALUES = 100
"""Values that one metric of one line may have."""


def emf_line(
    namespace: str,
    request: Request,
    route: Route | None,
    status: int,
    error_code: str | None,
    results: Sequence[Result],
    *,
    is_cold_start: bool,
    timestamp_ms: int,
) -> str:
    """One request as a line of the embedded metric format.

    Holds the request's id, route and status, counts and times; never a body, a file name, a url
    or a header, so that nothing that clients send can be found in the log.

    Args:
        namespace: The metrics' namespace in CloudWatch.
        request: The request.
        route: Its route, None where there is none.
        status: The answer's HTTP status.
        error_code: Why the request as a whole was refused, if it was.
        results: What became of its parts.
        is_cold_start: Whether it was the first of this execution environment.
        timestamp_ms: Milliseconds since 1970.
    """
    timings = [result.timing for result in results[:MAX_VALUES]]
    failures = Counter(result.error.code for result in results if result.error)
    if error_code:
        failures[error_code] += 1
    counts: dict[str, int] = {
        "Requests": 1,
        "ColdStarts": int(is_cold_start),
        "Pictures": len(results),
        "Detections": sum(_detections(route, result) for result in results),
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
        "Route": str(route) if route else "none",
        "Status": status,
        "RequestId": request.request_id,
        **counts,
        **times,
    }
    return json.dumps(line)


def _detections(route: Route | None, result: Result) -> int:
    finds_objects = route in (Route.OBJECT_DETECTION, Route.PREDICT)
    return len(result.predictions) if finds_objects else 0
