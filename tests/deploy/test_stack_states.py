"""Behaviour of the scripts for a stack in each of CloudFormation's states."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.deployment import aws
from scripts.deployment.aws import DeploymentError
from scripts.deployment.states import check_deletable, check_deployable

OUTPUTS = [{"OutputKey": "PredictUrl", "OutputValue": "https://a.example/predict"}]
STATES = {
    # state: (deploy.sh works or its advice, destroy.sh works or its advice)
    "CREATE_COMPLETE": (None, None),
    "UPDATE_COMPLETE": (None, None),
    "UPDATE_ROLLBACK_COMPLETE": (None, None),
    "REVIEW_IN_PROGRESS": (None, None),
    "ROLLBACK_COMPLETE": ("scripts/destroy.sh --stack x --region eu-west-1", None),
    "ROLLBACK_FAILED": ("scripts/destroy.sh --stack x --region eu-west-1", None),
    "CREATE_FAILED": ("scripts/destroy.sh --stack x --region eu-west-1", None),
    "DELETE_FAILED": ("describe-stack-events", None),
    "UPDATE_FAILED": ("aws cloudformation rollback-stack --stack-name x", None),
    "UPDATE_ROLLBACK_FAILED": (
        "aws cloudformation continue-update-rollback --stack-name x --region eu-west-1",
        None,
    ),
    "CREATE_IN_PROGRESS": ("Wait", "Wait"),
    "ROLLBACK_IN_PROGRESS": ("Wait", "Wait"),
    "DELETE_IN_PROGRESS": ("Wait", "Wait"),
    "UPDATE_IN_PROGRESS": ("Wait", "Wait"),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": ("Wait", "Wait"),
    "UPDATE_ROLLBACK_IN_PROGRESS": ("Wait", "Wait"),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": ("Wait", "Wait"),
}
WITHOUT_OUTPUTS = {
    *("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"),
    *("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_FAILED"),
}


class CloudFormation:
    """CloudFormation with at most one stack."""

    def __init__(self, stack: dict[str, Any] | None) -> None:
        self.stack = stack

    def client(self, _: str) -> CloudFormation:
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.stack is None:
            error: Any = {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")
        return {"Stacks": [self.stack]}


def use(monkeypatch: pytest.MonkeyPatch, stack: dict[str, Any] | None) -> None:
    monkeypatch.setattr(aws, "client", CloudFormation(stack).client)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


def stack_in(state: str, **fields: Any) -> dict[str, Any]:
    outputs = [] if state in WITHOUT_OUTPUTS else OUTPUTS
    return {
        "StackStatus": state,
        "Outputs": outputs,
        "Description": "Matchvec, an HTTP API.",
        **fields,
    }


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("position", "check"), [(0, check_deployable), (1, check_deletable)], ids=["deploy", "destroy"]
)
def test_states(monkeypatch: pytest.MonkeyPatch, state: str, position: int, check: Any) -> None:
    use(monkeypatch, stack_in(state))
    advice = STATES[state][position]
    if advice is None:
        check("x")
        return
    with pytest.raises(DeploymentError) as raised:
        check("x")
    assert state in str(raised.value)
    assert advice in str(raised.value)


def test_without_a_stack_one_is_deployed_and_none_is_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, None)
    check_deployable("x")
    with pytest.raises(DeploymentError, match="there is no stack x in eu-west-1"):
        check_deletable("x")


def test_stacks_of_others_are_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, stack_in("CREATE_COMPLETE", Outputs=[], Description="Somebody's shop"))
    with pytest.raises(DeploymentError, match="not Matchvec's"):
        check_deletable("x")


# The role for logs, which the account has one of


class Account:
    """An account with a stack or without, whose API Gateway has a role for logs or not."""

    def __init__(self, role: str | None, created_by_stack: bool) -> None:
        self._role = role
        self._created_by_stack = created_by_stack

    def client(self, _: str) -> Account:
        return self

    def get_account(self) -> dict[str, str]:
        return {"cloudwatchRoleArn": self._role} if self._role else {}

    def get_paginator(self, _: str) -> Account:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        if not self._created_by_stack:
            error: Any = {"Code": "ValidationError", "Message": "Stack 'x' does not exist"}
            raise ClientError({"Error": error}, "ListStackResources")
        summary = {"LogicalResourceId": "ApiGatewayAccount", "ResourceStatus": "CREATE_COMPLETE"}
        return [{"StackResourceSummaries": [summary]}]


OF_AN_EARLIER_STACK = "arn:aws:iam::123456789012:role/x-ApiGatewayAccountRole-1A2B"
LOG_ROLES = {
    "no role": (None, False, "create"),
    "role of an earlier stack of that name": (OF_AN_EARLIER_STACK, False, "existing"),
    "role of another project": ("arn:aws:iam::123456789012:role/other", False, "existing"),
    "role of this stack": (OF_AN_EARLIER_STACK, True, "create"),
}


@pytest.mark.parametrize(("role", "is_ours", "expected"), LOG_ROLES.values(), ids=LOG_ROLES)
def test_destroy_and_deploy_leave_one_log_role(
    monkeypatch: pytest.MonkeyPatch, role: str | None, is_ours: bool, expected: str
) -> None:
    monkeypatch.setattr(aws, "client", Account(role, is_ours).client)
    assert aws.log_role("x") == expected


# The region

REGIONS = {
    "AWS_REGION": ({"AWS_REGION": "eu-north-1"}, "eu-north-1"),
    "AWS_DEFAULT_REGION": ({"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
    "both": ({"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-north-1"),
}


@pytest.mark.parametrize(("environment", "expected"), REGIONS.values(), ids=REGIONS)
def test_the_region_is_read(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert aws.region() == expected
