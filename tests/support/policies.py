"""Checks of IAM policies by parliament and by rules of this project.

parliament knows every action of IAM and the resources that it accepts
(https://github.com/duo-labs/parliament).
"""

from __future__ import annotations

import json
import re
import warnings
from functools import cache
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # It leaves its files open.
    import parliament

from tests.support.stack import REGION, Stack

WILDCARDS = {
    ("xray:PutTraceSegments", "xray:PutTelemetryRecords"): "X-Ray has no resources for these.",
    (
        *("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
        *("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses"),
        "ec2:UnassignPrivateIpAddresses",
    ): "Lambda requires these on all resources of a VPC.",
}
"""Actions that a role may have on all resources -> the reason."""
PARLIAMENT = {
    "codedeploy:PutLifecycleEventHookExecutionStatus": "SAM's guide restricts it to the group.",
    "states:DescribeExecution": "It also has express executions, which ours are not.",
    **{action: reason for actions, reason in WILDCARDS.items() for action in actions},
}
"""Actions whose resource parliament does not accept -> the reason for it."""


def findings_of(text: str) -> list[tuple[str, str]]:
    """Return the issues that parliament finds in a policy, with their details."""
    found = parliament.analyze_policy_string(text).findings
    return [(str(each.issue), str(each.detail)) for each in found]


@cache
def problems_of_policy(text: str) -> tuple[str, ...]:
    return tuple(
        f"{finding.issue}: {finding.detail} in {text}"
        for finding in parliament.analyze_policy_string(text).findings
        if not actions_of(finding.detail) <= set(PARLIAMENT) or not finding.detail
    )


def actions_of(detail: Any) -> set[str]:
    """The actions of a finding: a list of names, or of objects with one."""
    listed = detail if isinstance(detail, list) else [detail]
    return {each["action"] if isinstance(each, dict) else str(each) for each in listed}


def problems_of_policies(stack: Stack) -> list[str]:
    """Return the problems of the policies of the stack's roles."""
    problems: list[str] = []
    for role in stack.of_type("AWS::IAM::Role").values():
        for policy in role.get("Policies", []):
            document = with_arns(policy["PolicyDocument"], stack)
            problems += problems_of_policy(json.dumps(document))
            for statement in document["Statement"]:
                actions = statement["Action"]
                listed = (actions,) if isinstance(actions, str) else tuple(actions)
                if statement["Resource"] == "*" and listed not in WILDCARDS:
                    problems.append(f"all resources for {listed}")
                if any("*" in action for action in listed):
                    problems.append(f"a wildcard in {listed}")
    return problems


def with_arns(node: Any, stack: Stack) -> Any:
    """A policy with ARNs of the right form instead of references."""
    if isinstance(node, list):
        return [with_arns(each, stack) for each in node]
    if not isinstance(node, dict):
        return node
    if "Fn::GetAtt" in node:
        return arn_of(node["Fn::GetAtt"][0], stack)
    if "Ref" in node:
        return node["Ref"].lower()  # The name of a bucket.
    if "Fn::Sub" in node:
        parts = node["Fn::Sub"]
        text, variables = (parts, {}) if isinstance(parts, str) else parts
        values = {name: str(with_arns(each, stack)) for name, each in variables.items()}

        def value(match: re.Match[str]) -> str:
            logical_id, _, attribute = match[1].partition(".")
            return values.get(logical_id) or (
                arn_of(logical_id, stack) if attribute == "Arn" else logical_id.lower()
            )

        return re.sub(r"\$\{([^}]+)\}", value, text)
    return {name: with_arns(each, stack) for name, each in node.items()}


def arn_of(logical_id: str, stack: Stack) -> str:
    kind = stack.resources[logical_id]["Type"]
    own = f"{REGION}:123456789012"
    return {
        "AWS::Logs::LogGroup": f"arn:aws:logs:{own}:log-group:/matchvec/matchvec/function:*",
        "AWS::Lambda::Function": f"arn:aws:lambda:{own}:function:{logical_id}",
        "AWS::S3::Bucket": f"arn:aws:s3:::{logical_id.lower()}",
        "AWS::SQS::Queue": f"arn:aws:sqs:{own}:{logical_id}",
    }[kind]
