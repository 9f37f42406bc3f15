"""Questions to AWS about the account and the stack."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TIMEOUTS = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3})

SECRET = "ApiKeySecret"  # noqa: S105  the name of a parameter
HIDDEN = "****"
"""Value that CloudFormation shows for a parameter with NoEcho."""


class DeploymentError(Exception):
    """The deployment cannot continue. The message says what to do."""


def region() -> str:
    """Return the region of the stack: AWS_REGION, else what boto3 finds.

    Raises:
        DeploymentError: No region is configured.
    """
    # boto3 reads AWS_DEFAULT_REGION only.
    name = os.environ.get("AWS_REGION") or boto3.Session().region_name
    if not name:
        raise DeploymentError("no region is set. Pass --region, such as --region eu-west-1.")
    return str(name)


def account() -> str:
    """Return a line with the account, the region and the identity of the credentials."""
    identity = client("sts").get_caller_identity()
    return f"Account {identity['Account']}, region {region()}, as {identity['Arn']}"


def current_parameters(stack: str) -> dict[str, str]:
    """Return the stack's parameters; empty if there is no stack.

    The value of ApiKeySecret is HIDDEN if it has one. CloudFormation hides empty values, too.
    """
    found = describe(stack) or {}
    values = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    outputs = {each["OutputKey"] for each in found.get("Outputs", [])}
    if SECRET in values:
        values[SECRET] = HIDDEN if "ApiKeySecretHeader" in outputs else ""
    return values


def log_role(stack: str) -> str:
    """Return the value of ApiGatewayLogRole: "create" or "existing".

    The account has one role for the logs of all REST APIs. A stack that created it keeps it; every
    other stack uses the role that is there, even if an earlier stack of the same name created it.
    """
    if _has_resource(stack, "ApiGatewayAccount"):
        return "create"
    found = client("apigateway").get_account().get("cloudwatchRoleArn")
    return "existing" if found else "create"


def output(stack: str, name: str) -> str | None:
    """Return one of the stack's outputs; None if it has no such output.

    Raises:
        DeploymentError: There is no such stack.
    """
    found = describe(stack)
    if not found:
        raise DeploymentError(
            f"there is no stack {stack} in {region()}. Check --stack and --region."
        )
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    return outputs.get(name)


def predict_url(stack: str) -> str:
    """Return the address to which clients post pictures.

    Raises:
        DeploymentError: The stack has no such output.
    """
    url = output(stack, "PredictUrl")
    if not url:
        raise DeploymentError(
            f"the stack {stack} has no output PredictUrl. It is not Matchvec's, or its creation "
            "failed."
        )
    return url


def describe(stack: str) -> dict[str, Any] | None:
    """Return CloudFormation's description of the stack; None if there is no stack."""
    try:
        stacks = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    found: dict[str, Any] = stacks[0]
    return found


def delete(stack: str) -> None:
    """Delete a stack that has no resources yet, which `sam delete` does not see."""
    client("cloudformation").delete_stack(StackName=stack)


def client(service: str) -> Any:  # noqa: ANN401  boto3 creates its clients at run time
    """Return a boto3 client with short timeouts."""
    make: Any = boto3.client  # Its annotation lists the names of all services.
    return make(service, region_name=region(), config=TIMEOUTS)


def _has_resource(stack: str, logical_id: str) -> bool:
    pages = client("cloudformation").get_paginator("list_stack_resources")
    try:
        resources = [
            each
            for page in pages.paginate(StackName=stack)
            for each in page["StackResourceSummaries"]
        ]
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return any(
        each["LogicalResourceId"] == logical_id
        and not str(each.get("ResourceStatus", "")).startswith("DELETE")
        for each in resources
    )
