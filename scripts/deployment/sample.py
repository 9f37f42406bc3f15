"""Post a picture to the deployed API, and check the answer."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from scripts.deployment.aws import (
    DeploymentError,
    client,
    current_parameters,
    output,
    predict_url,
)

ATTEMPTS = 5
PAUSE_SECONDS = 3
"""A new stage takes some seconds until every host of API Gateway knows it."""
SECRET_VARIABLE = "API_KEY_SECRET"  # noqa: S105  the name of a variable


def post(stack: str, picture: Path) -> str:
    """Post a picture to the deployed API and return a line with its answer.

    Where the stack requires a key, a request without one must be refused.

    Raises:
        DeploymentError: The API gives another answer.
    """
    parameters = current_parameters(stack)
    url = predict_url(stack)
    if parameters.get("VpcEndpointId"):
        return "The API is private: post a picture from inside its network."
    request = _request_options(stack, url, picture)
    key_id = output(stack, "ApiKeyId")
    if not (key_id or parameters.get("ApiKeySecret")):
        return _checked_answer(request, parameters)
    _check_refused(request)
    if key_id:
        key = client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
    else:
        key = os.environ.get(SECRET_VARIABLE, "")
    if not key:
        return f"A request without the key is refused. Set {SECRET_VARIABLE} to post a picture."
    # A file that only this user can read: every user can read a process's arguments.
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as config:
        config.write(f'header = "x-api-key: {key}"\n')
        config.flush()
        return _checked_answer([*request, "--config", config.name], parameters)


def check_answer(text: str, *, is_embedded: bool) -> str:
    """Return a line for the answer to samples/car.jpg.

    Args:
        text: The body.
        is_embedded: Whether the stack has the embedded detector, which is known to find the car.

    Raises:
        DeploymentError: It is not the answer that the picture should get.
    """
    try:
        [vehicles] = json.loads(text)
        labels = [vehicle["label"] for vehicle in vehicles]
        classes = {vehicle["class_name"] for vehicle in vehicles}
    except (ValueError, TypeError, KeyError) as error:
        raise DeploymentError(f"the answer is not one list of vehicles: {text[:500]}") from error
    if is_embedded and "car" not in classes:
        raise DeploymentError(f"the answer has no car for a picture of a car: {text[:500]}")
    return f"The API answers: {', '.join(labels) or 'no vehicles'}"


def _request_options(stack: str, url: str, picture: Path) -> list[str]:
    options = ["--silent", "--show-error", "--max-time", "60", "--form", f"image=@{picture}", url]
    target = output(stack, "DomainTarget")
    if target:  # The domain's DNS record may not exist yet.
        options += ["--connect-to", f"{urlsplit(url).hostname}:443:{target}:443"]
    return options


def _checked_answer(request: list[str], parameters: Mapping[str, str]) -> str:
    retries = ["--retry", str(ATTEMPTS), "--retry-delay", str(PAUSE_SECONDS)]
    done = _curl([*request, "--fail-with-body", *retries, "--retry-all-errors"])
    if done.returncode:
        raise DeploymentError(
            f"the deployed API did not answer a picture: {done.stderr.strip()} {done.stdout[:500]}"
        )
    return check_answer(done.stdout, is_embedded=_has_embedded_detector(parameters))


def _check_refused(request: list[str]) -> None:
    """Check that a request without a key gets 403.

    Raises:
        DeploymentError: It is answered: the API is open.
    """
    status = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        done = _curl([*request, "--output", os.devnull, "--write-out", "%{http_code}"])
        status = done.stdout.strip()
        if status == "403":
            return
    raise DeploymentError(
        f"the stack requires a key, but a request without one gets {status} instead of 403. "
        "Deploy again. If that does not help, delete the stage's deployment in API Gateway."
    )


def _curl(options: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["curl", *options], capture_output=True, text=True, check=False)


def _has_embedded_detector(parameters: Mapping[str, str]) -> bool:
    return (
        parameters.get("DetectionModel") == "vehicle_detector"
        and float(parameters.get("DetectionThreshold", 0)) <= 0.5
        and float(parameters.get("DetectionSizeThreshold", 0)) <= 0.05
    )
