"""Write the least-privilege policies for deploying: `python -m scripts.deployment.policy`.

- docs/policies/deploy.json: what scripts/deploy.sh and destroy.sh ask of AWS themselves.
- docs/policies/stack-api.json, stack-data.json: what CloudFormation does with the stack's
  resources. They are two for IAM's size limit. They belong to the role of `--role-arn`; without
  that option, the deploying user or role needs them too.

Replace ACCOUNT, REGION and STACK in them. The actions per resource type come from CloudFormation's
own schemas, which cfn-lint ships.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from scripts.deployment.parameters import ROOT, load_template

FOLDER = ROOT / "docs" / "policies"
MAX_CHARACTERS = 6144
"""Size limit of a managed policy, without white space
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""

TRANSLATED = {
    "AWS::Serverless::Api": [
        *("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"),
    ],
    "AWS::Serverless::Function": [
        *("AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias"),
        *("AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"),
    ],
    "AWS::Serverless::StateMachine": ["AWS::StepFunctions::StateMachine"],
}
"""SAM's resource types -> the types that SAM creates from them."""

FUNCTIONS = [
    "arn:aws:lambda:REGION:ACCOUNT:function:STACK-*",
    "arn:aws:lambda:REGION:ACCOUNT:function:CodeDeployHook_STACK*",
]
CODEDEPLOY = "arn:aws:codedeploy:REGION:ACCOUNT"
RESOURCES = {
    "apigateway": ["arn:aws:apigateway:REGION::/*"],
    "wafv2": [
        "arn:aws:wafv2:REGION:ACCOUNT:regional/webacl/*",
        "arn:aws:apigateway:REGION::/restapis/*/stages/*",
    ],
    "lambda": FUNCTIONS,
    "codedeploy": [
        f"{CODEDEPLOY}:application:STACK-*",
        f"{CODEDEPLOY}:deploymentgroup:STACK-*/*",
        f"{CODEDEPLOY}:deploymentconfig:*",
    ],
    "iam": ["arn:aws:iam::ACCOUNT:role/STACK-*"],
    "logs": ["arn:aws:logs:REGION:ACCOUNT:log-group:/matchvec/STACK/*"],
    "cloudwatch": [
        "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:STACK-*",
        "arn:aws:cloudwatch::ACCOUNT:dashboard/MatchvecDashboard-*",
    ],
    "sns": ["arn:aws:sns:REGION:ACCOUNT:STACK-*"],
    "sqs": ["arn:aws:sqs:REGION:ACCOUNT:STACK-*"],
    "states": ["arn:aws:states:REGION:ACCOUNT:stateMachine:STACK-bulk"],
    "s3": ["arn:aws:s3:::STACK-*"],
    "kms": ["arn:aws:kms:REGION:ACCOUNT:key/*"],
}
"""Service -> resources of the stack. Names that CloudFormation chooses start with the stack's."""

UNSCOPED = {
    *("cloudwatch:DescribeAlarms", "logs:DescribeLogGroups", "logs:DescribeIndexPolicies"),
    *("sns:Unsubscribe", "codedeploy:StopDeployment"),
    *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
    *("lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping"),
    *("lambda:UpdateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
    # Logs of an HTTP API: API Gateway creates the delivery with the caller's permissions.
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:DeleteLogDelivery", "logs:ListLogDeliveries"),
    *("logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
}
"""Actions that IAM cannot restrict to a resource, or whose resource has no name of the stack."""

EXTRA = {
    "AWS::ApiGatewayV2::Stage": [each for each in sorted(UNSCOPED) if each.startswith("logs:")],
    "AWS::ApiGatewayV2::DomainName": ["iam:CreateServiceLinkedRole"],
    "AWS::Lambda::Url": ["lambda:AddPermission", "lambda:RemovePermission"],
}
"""Actions that the schemas leave out."""

UNUSED = re.compile(
    # Changes of features that no resource of the template has. Reading them stays allowed, as
    # CloudFormation reads a resource with all of its features.
    r"s3:(Put|Delete|Update|Create).*(Abac|Accelerate|Acl|Analytics|Annotation|Inventory|Metadata"
    r"|IntelligentTiering|Logging|Metrics|Notification|ObjectLock|Replication|Versioning|Website"
    r"|DeleteObject|Journal)"
    r"|lambda:(Put|Delete|Associate|Pass).*(CodeSigning|Recursion|RuntimeAlias|CapacityProvider)"
    r"|lambda:GetLayerVersion|lambda:GetCodeSigningConfig"
    r"|logs:(Put|Delete).*(DataProtection|Index|DeletionProtection)|logs:DeleteResourcePolicy"
    r"|sns:PutDataProtection|codedeploy:(RegisterOnPremises|ListDeployments)|kms:Encrypt"
    r"|wafv2:(Get|Put)PermissionPolicy|ec2:DescribeNetworkInterfaces|s3:[gG]etObject"
    # Names in the schemas that are no actions of IAM.
    r"|s3:(REST|ListTagsForResource|DeleteBucket(Cors|Encryption|Lifecycle))|s3:GetBucket(Metadata|Abac)"
    r"|apigateway:(UpdateRestApiPolicy|TagResource|UntagResource|.*Certificate)"
    r"|logs:PutBearerToken|lambda:.*Scaling"
)
MANAGED = [
    "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited",
]
PASSED = ["apigateway", "codedeploy", "lambda", "states"]
CONDITIONAL = {
    *("iam:PassRole", "iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    "iam:CreateServiceLinkedRole",
}
"""Actions that are allowed under conditions, or on other roles."""

DATA_SERVICES = {"cloudwatch", "kms", "logs", "s3", "sns", "sqs", "states"}


def resource_types() -> set[str]:
    """Return the resource types of the translated template, with every condition true."""
    types = {resource["Type"] for resource in load_template()["Resources"].values()}
    return {each for name in types for each in TRANSLATED.get(name, [name])}


def actions_of(resource_type: str) -> set[str]:
    """Return the actions that CloudFormation needs to create, update and delete a resource."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    handlers = (schema["handlers"].get(name, {}) for name in ("create", "read", "update", "delete"))
    listed = {each for handler in handlers for each in handler.get("permissions", [])}
    listed |= set(EXTRA.get(resource_type, []))
    return {
        each
        for each in listed
        if (each in UNSCOPED or each.partition(":")[0] in RESOURCES) and not UNUSED.match(each)
    }


def stack_policy(services: Iterable[str]) -> dict[str, Any]:
    """Return the policy for what CloudFormation does with the stack's resources.

    Args:
        services: The services that the policy is about.
    """
    services = set(services)
    actions = {action for each in resource_types() for action in actions_of(each)}
    actions = {each for each in actions if each.partition(":")[0] in services}
    scoped: dict[str, list[str]] = defaultdict(list)
    for action in sorted(actions - UNSCOPED - CONDITIONAL):
        scoped[action.partition(":")[0]].append(action)
    statements = [_allow(each, listed, RESOURCES[each]) for each, listed in sorted(scoped.items())]
    statements.append(_allow("unscoped", sorted(actions & UNSCOPED), ["*"]))
    return _policy([*statements, *(_conditional_statements() if "iam" in services else [])])


def _conditional_statements() -> list[dict[str, Any]]:
    passed = {"StringEquals": {"iam:PassedToService": [f"{each}.amazonaws.com" for each in PASSED]}}
    managed = {"ArnEquals": {"iam:PolicyARN": MANAGED}}
    attach = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]
    linked = "arn:aws:iam::ACCOUNT:role/aws-service-role/ops.apigateway.amazonaws.com/*"
    package = "arn:aws:s3:::aws-sam-cli-managed-default-*/*"
    return [
        _allow("PassRoles", ["iam:PassRole"], RESOURCES["iam"], passed),
        _allow("ManagedPolicies", attach, RESOURCES["iam"], managed),
        _allow("CustomDomains", ["iam:CreateServiceLinkedRole"], [linked]),
        _allow("Package", ["s3:GetObject"], [package]),
    ]


def deploy_policy() -> dict[str, Any]:
    """Return the policy for the requests of deploy.sh and destroy.sh themselves."""
    stacks = [
        f"arn:aws:cloudformation:REGION:ACCOUNT:stack/{name}/*"
        for name in ("STACK", "aws-sam-cli-managed-default")
    ]
    transforms = [
        f"arn:aws:cloudformation:REGION:aws:transform/{name}"
        for name in ("Serverless-2016-10-31", "Include")
    ]
    bucket = "arn:aws:s3:::aws-sam-cli-managed-default-*"
    cloudformation = [
        *("CreateChangeSet", "CreateStack", "DeleteChangeSet", "DeleteStack", "DescribeChangeSet"),
        *("DescribeStackEvents", "DescribeStackResource", "DescribeStackResources"),
        *("DescribeStacks", "ExecuteChangeSet", "GetTemplate", "ListStackResources"),
        *("TagResource", "UntagResource", "UpdateStack"),
    ]
    buckets = [
        *("CreateBucket", "GetBucketLocation", "GetBucketPolicy", "GetEncryptionConfiguration"),
        *("ListBucket", "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketTagging"),
        *("PutBucketVersioning", "PutEncryptionConfiguration"),
    ]
    return _policy(
        [
            _allow("Stack", [f"cloudformation:{each}" for each in cloudformation], stacks),
            _allow("Transforms", ["cloudformation:CreateChangeSet"], transforms),
            _allow("Summary", ["cloudformation:GetTemplateSummary"], ["*"]),
            _allow("PackageBucket", [f"s3:{each}" for each in buckets], [bucket]),
            _allow(
                "Packages",
                ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                [f"{bucket}/*"],
            ),
            _allow(
                "CheckAfterDeployment",
                ["apigateway:GET"],
                [f"arn:aws:apigateway:REGION::/{each}" for each in ("account", "apikeys/*")],
            ),
        ]
    )


def as_text(policy: Mapping[str, Any]) -> str:
    """Return the text of a policy's file."""
    return json.dumps(policy, indent=1) + "\n"


POLICIES: dict[str, Callable[[], dict[str, Any]]] = {
    "deploy.json": deploy_policy,
    "stack-api.json": lambda: stack_policy({*RESOURCES, "ec2"} - DATA_SERVICES),
    "stack-data.json": lambda: stack_policy(DATA_SERVICES),
}


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in POLICIES.items():
        (FOLDER / name).write_text(as_text(make()))


def _policy(statements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(
    name: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {
        "Sid": name[:1].upper() + name[1:],
        "Effect": "Allow",
        "Action": actions,
        "Resource": resources,
    }
    return statement | ({"Condition": condition} if condition else {})


if __name__ == "__main__":
    main()
