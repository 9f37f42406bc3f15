"""What AWS knows of the account and of the stack."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})


class DeploymentError(Exception):
    """The deployment can't go on; the message says what to do."""


def region() -> str:
    """Where the stack is.

    Raises:
        DeploymentError: Nothing says.
    """
    name = boto3.Session().region_name
    if not name:
        raise DeploymentError("no region is set. Pass --region, such as --region eu-west-1.")
    return str(name)


def account() -> str:
    """Who AWS says we are, which needs credentials and changes nothing."""
    identity = client("sts").get_caller_identity()
    return f"Account {identity['Account']}, region {region()}, as {identity['Arn']}"


def current_parameters(stack: str) -> dict[str, str]:
    """What the stack has now; nothing if there is none."""
    found = describe(stack)
    values = found.get("Parameters", []) if found else []
    return {each["ParameterKey"]: each["ParameterValue"] for each in values}


def log_role(stack: str) -> str:
    """Whether the region's APIs have a role to write logs with that is not this stack's."""
    account = client("apigateway").get_account()
    arn = account.get("cloudwatchRoleArn") or ""
    is_ours = f":role/{stack}-ApiGatewayAccountRole-" in arn
    return "existing" if arn and not is_ours else "create"


def output(stack: str, name: str) -> str | None:
    """One of the stack's outputs.

    Raises:
        DeploymentError: There is no such stack.
    """
    found = describe(stack)
    if not found:
        raise DeploymentError(f"there is no stack {stack} in {region()}; see --stack and --region.")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    return outputs.get(name)


def predict_url(stack: str) -> str:
    """Where pictures are posted to.

    Raises:
        DeploymentError: The stack does not say.
    """
    url = output(stack, "PredictUrl")
    if not url:
        raise DeploymentError(f"the stack {stack} is not Matchvec's: it has no output PredictUrl.")
    return url


def describe(stack: str) -> dict[str, Any] | None:
    """The stack as CloudFormation tells of it; None if there is none."""
    try:
        stacks = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    found: dict[str, Any] = stacks[0]
    return found


def client(service: str) -> Any:  # noqa: ANN401  boto3 makes its clients at run time
    """A client that does not wait for long."""
    make: Any = boto3.client  # Its annotation lists the names of all services.
    return make(service, region_name=region(), config=PATIENCE)
