"""CodeDeploy's pre-traffic hook: decides whether a new version of the function may get traffic.

CodeDeploy invokes this function after a version is published and before clients reach it
(https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html).
It sends sample pictures to the new version, as API Gateway would, and reports `Succeeded` or
`Failed`. After `Failed`, or without a report, the alias stays on the old version.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"
GOLDEN = {"car.jpg": "car", "bus.jpg": "bus", "truck.jpg": "truck"}
"""Sample picture -> a class that the embedded detector finds in it."""
EMBEDDED_DETECTOR = "vehicle_detector"
THRESHOLD = "0.3"
"""Lower than a deployment's own: this checks models, not settings."""
BOUNDARY = "matchvec-pre-traffic"

Event = dict[str, Any]
Invoke = Callable[[Event], Any]

logger = logging.getLogger("matchvec")


def handler(event: Event, _: object) -> None:
    """Check the version in the environment variable NEW_VERSION, and report to CodeDeploy."""
    import boto3  # Part of the Lambda runtime.

    functions = boto3.client("lambda")

    def invoke(proxy_event: Event) -> Any:  # noqa: ANN401  any JSON
        answer = functions.invoke(
            FunctionName=os.environ["NEW_VERSION"], Payload=json.dumps(proxy_event).encode()
        )
        return json.loads(answer["Payload"].read())

    try:
        problems = find_problems(invoke)
    except Exception as error:  # Without a report CodeDeploy would wait for an hour.
        logger.exception("the new version could not be checked")
        problems = [repr(error)]
    for problem in problems:
        logger.error("new version: %s", problem)
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Failed" if problems else "Succeeded",
    )


def find_problems(invoke: Invoke) -> list[str]:
    """Return what is wrong with a function's answers; empty if clients may get them."""
    return [
        problem
        for event, check in (
            (proxy_event("GET", "/health"), check_health),
            (proxy_event("OPTIONS", "/predict"), check_preflight),
            (pictures_event(), check_pictures),
        )
        for problem in check(invoke(event))
    ]


def proxy_event(method: str, path: str, **fields: Any) -> Event:  # noqa: ANN401  event fields
    """Return the event that API Gateway sends for a request to the REST API."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {},
        "queryStringParameters": None,
        "requestContext": {"requestId": "pre-traffic", "stage": "pre-traffic"},
        "body": None,
        "isBase64Encoded": False,
        **fields,
    }


def pictures_event() -> Event:
    """Return a request with all sample pictures in one form, and one file that is no picture."""
    files = [(name, (SAMPLES / name).read_bytes()) for name in GOLDEN] + [("notes.txt", b"notes")]
    form = b"".join(
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    )
    return proxy_event(
        "POST",
        "/predict",
        headers={
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "X-Api-Key": os.environ.get("API_KEY_SECRET", ""),
        },
        queryStringParameters={"details": "true", "threshold": THRESHOLD},
        body=base64.b64encode(form + f"--{BOUNDARY}--\r\n".encode()).decode(),
        isBase64Encoded=True,
    )


def check_health(answer: Any) -> list[str]:  # noqa: ANN401  as all answers
    """Check that the models are loaded."""
    return [] if status(answer) == 200 else [f"/health answers {answer}"]


def check_preflight(answer: Any) -> list[str]:  # noqa: ANN401
    """Check that a browser may send requests."""
    headers = answer.get("headers", {}) if status(answer) == 200 else {}
    allowed = headers.get("Access-Control-Allow-Origin")
    return [] if allowed else [f"OPTIONS /predict answers {answer}"]


def check_pictures(answer: Any) -> list[str]:  # noqa: ANN401
    """Check that every picture is answered, and what the embedded detector finds in it."""
    if status(answer) != 200:
        return [f"/predict answers {answer}"]
    body = json.loads(answer["body"])
    images = {image["filename"]: image for image in body["images"]}
    if set(images) != {*GOLDEN, "notes.txt"}:
        return [f"/predict answers for {sorted(images)}"]
    problems = [
        f"{name}: {images[name]['error']}" for name in GOLDEN if images[name]["error"] is not None
    ]
    if (images["notes.txt"]["error"] or {}).get("code") != "not_an_image":
        problems.append("notes.txt was accepted as a picture")
    if body["model"]["detection"]["name"] == EMBEDDED_DETECTOR:
        found = {
            name: {each["class_name"] for each in images[name]["predictions"]} for name in GOLDEN
        }
        problems += [
            f"{name}: no {expected} among {sorted(found[name])}"
            for name, expected in GOLDEN.items()
            if expected not in found[name]
        ]
    return problems


def status(answer: Any) -> int | None:  # noqa: ANN401
    """Return the HTTP status of an answer; None if the function failed."""
    return answer.get("statusCode") if isinstance(answer, dict) else None
