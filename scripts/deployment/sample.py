"""A picture for the deployed API, and what it should answer."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts.deployment.aws import (
    DeploymentError,
    client,
    current_parameters,
    output,
    predict_url,
)

POST_ATTEMPTS = 5
"""A new stage answers 403 for some seconds, until it is known everywhere."""


def post(stack: str, picture: Path) -> str:
    """Post a picture to the deployed API; what to say of the answer.

    Raises:
        DeploymentError: It is not the one that the picture should get.
    """
    parameters = current_parameters(stack)
    url = predict_url(stack)
    if parameters.get("VpcEndpointId"):
        return "The API is private: post a picture from inside its network."
    key_id = output(stack, "ApiKeyId")
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as config:
        if key_id:  # In a file that only we can read: arguments are seen by everyone.
            key = client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
            config.write(f'header = "x-api-key: {key}"\n')
            config.flush()
        done = subprocess.run(
            [
                *("curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "60"),
                *("--retry", str(POST_ATTEMPTS), "--retry-delay", "3", "--retry-all-errors"),
                *("--config", config.name, "--form", f"image=@{picture}", url),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise DeploymentError(
            f"the deployed API did not answer a picture: {done.stderr.strip()} {done.stdout[:500]}"
        )
    return check_answer(done.stdout, is_embedded=_has_embedded_detector(parameters))


def check_answer(text: str, *, is_embedded: bool) -> str:
    """What to say of the answer to samples/car.jpg.

    Args:
        text: The body.
        is_embedded: Whether the detector is the one that is known to find the car.

    Raises:
        DeploymentError: It is not the one that the picture should get.
    """
    try:
        [vehicles] = json.loads(text)
        labels = [vehicle["label"] for vehicle in vehicles]
        classes = {vehicle["class_name"] for vehicle in vehicles}
    except (ValueError, TypeError, KeyError) as error:
        raise DeploymentError(f"the answer is not one list of vehicles: {text[:500]}") from error
    if is_embedded and "car" not in classes:
        raise DeploymentError(f"no car was found on a picture of one: {text[:500]}")
    return f"It answers: {', '.join(labels) or 'no vehicles'}"


def _has_embedded_detector(parameters: Mapping[str, str]) -> bool:
    return (
        parameters.get("DetectionModel") == "vehicle_detector"
        and float(parameters.get("DetectionThreshold", 0)) <= 0.5
        and float(parameters.get("DetectionSizeThreshold", 0)) <= 0.05
    )
