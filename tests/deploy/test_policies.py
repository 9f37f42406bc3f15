"""The policies for deploying, compared with the template and checked by parliament."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.deployment.policy import (
    FOLDER,
    MAX_CHARACTERS,
    POLICIES,
    UNSCOPED,
    actions_of,
    as_text,
    resource_types,
)
from tests.support.parameter_sets import ARCHIVE, DOMAIN, KEY
from tests.support.policies import findings_of
from tests.support.stack import Stack

EVERYTHING = {
    **DOMAIN,
    **ARCHIVE,
    **{"Arrivals": "true", "Uploads": "true", "AlarmEmail": "ops@example.com"},
    **{"RequireApiKey": "true", "WafRateLimit": "1000", "KmsKeyArn": KEY},
}
STACKS = [
    Stack(**EVERYTHING),
    Stack(FrontDoor="http", **DOMAIN),
    Stack(FrontDoor="url"),
]
EXPECTED = {
    # CloudFormation's own transforms belong to the account "aws".
    ("INVALID_ARN", "Account expected to be of form like 123456789012"),
    # A role that writes a bucket's policy can give themselves access to its objects.
    ("RESOURCE_POLICY_PRIVILEGE_ESCALATION", "s3:PutBucketPolicy"),
    # An event source mapping has a random id, which no stack's name begins.
    ("RESOURCE_STAR", "lambda:DeleteEventSourceMapping"),
    # CloudFormation describes alarms by prefix.
    ("RESOURCE_STAR", "cloudwatch:DescribeAlarms"),
}


def load(name: str) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return policy


@pytest.mark.parametrize("name", POLICIES)
def test_files_are_as_generated(name: str) -> None:
    written = (FOLDER / name).read_text()
    assert written == as_text(POLICIES[name]()), "run: python -m scripts.deployment.policy"


@pytest.mark.parametrize("name", POLICIES)
def test_each_fits_into_a_managed_policy(name: str) -> None:
    assert len(json.dumps(load(name), separators=(",", ":"))) <= MAX_CHARACTERS


def test_the_types_are_those_of_the_translated_template() -> None:
    translated = {each["Type"] for stack in STACKS for each in stack.resources.values()}
    assert resource_types() == translated


@pytest.mark.parametrize("resource_type", sorted(resource_types()))
def test_every_type_can_be_created_and_deleted(resource_type: str) -> None:
    allowed = {
        action
        for name in ("stack-api.json", "stack-data.json")
        for statement in load(name)["Statement"]
        for action in statement["Action"]
    }
    assert actions_of(resource_type)
    assert actions_of(resource_type) <= allowed


@pytest.mark.parametrize("name", POLICIES)
def test_parliament_finds_only_what_is_expected(name: str) -> None:
    text = (FOLDER / name).read_text()
    for placeholder, value in (
        ("ACCOUNT", "123456789012"),
        ("REGION", "eu-west-1"),
        ("STACK", "matchvec"),
    ):
        text = text.replace(placeholder, value)
    unexpected = [
        (issue, detail)
        for issue, detail in findings_of(text)
        if not any(issue == kind and known in detail for kind, known in EXPECTED)
    ]
    assert unexpected == []


@pytest.mark.parametrize("name", POLICIES)
def test_all_resources_are_allowed_only_where_nothing_else_is_possible(name: str) -> None:
    for statement in load(name)["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        if statement["Resource"] == ["*"]:
            assert set(statement["Action"]) <= UNSCOPED | {"cloudformation:GetTemplateSummary"}


def test_roles_are_passed_to_four_services_and_get_two_managed_policies() -> None:
    statements = {each["Sid"]: each for each in load("stack-api.json")["Statement"]}
    passed = statements["PassRoles"]["Condition"]["StringEquals"]["iam:PassedToService"]
    assert {each.partition(".")[0] for each in passed} == {
        *("apigateway", "codedeploy", "lambda", "states"),
    }
    attached = {
        arn["Fn::Sub"] if isinstance(arn, dict) else arn
        for stack in STACKS
        for role in stack.of_type("AWS::IAM::Role").values()
        for arn in role.get("ManagedPolicyArns", [])
    }
    allowed = statements["ManagedPolicies"]["Condition"]["ArnEquals"]["iam:PolicyARN"]
    assert attached == set(allowed)


def test_github_is_trusted_for_one_repository_and_environment() -> None:
    [statement] = load("github-trust.json")["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    subject = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert "*" not in subject
    assert subject.startswith("repo:")
    assert ":environment:" in subject
