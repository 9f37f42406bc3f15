"""The stack that template.yaml creates, resource by resource."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from yaml.constructor import ConstructorError

from gateway.routes import ASSETS, Route
from scripts.deployment.rules import broken_rules
from tests.support.stack import Stack, include, packaged, parameters_of

DEFAULT = Stack()
HASHES = ("a" * 64, "b" * 64)
ALIAS = "MatchvecFunctionAliaslive"
EVERYTHING_ON = {
    "ModelUri": "s3://my-models/vehicles/v2",
    "Tracing": "Active",
    "RequireApiKey": "true",
    "WafRateLimit": "1000",
    "AlarmEmail": "ops@example.com",
    "ReservedConcurrency": "5",
    "SnapStart": "PublishedVersions",
}
FULL = Stack(**EVERYTHING_ON)
OFF = Stack(GradualDeployment="false", AccessLogs="false", Dashboard="false", MetricsNamespace="")
STACKS = pytest.mark.parametrize("stack", [DEFAULT, FULL, OFF], ids=["default", "full", "off"])


def body(stack: Stack) -> dict[str, Any]:
    definition: dict[str, Any] = stack.one("AWS::ApiGateway::RestApi")["Body"]
    return definition


def operations(stack: Stack) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, item in body(stack)["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    }


def statements(stack: Stack) -> list[dict[str, Any]]:
    return [
        statement
        for role in stack.of_type("AWS::IAM::Role").values()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


# API Gateway


@STACKS
def test_every_operation_calls_the_alias_that_may_be_called(stack: Stack) -> None:
    uris = {
        json.dumps(operation["x-amazon-apigateway-integration"]["uri"])
        for operation in operations(stack).values()
    }
    assert uris == {
        json.dumps(
            {
                "Fn::Sub": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
                f"${{{ALIAS}}}/invocations"
            }
        )
    }
    assert stack.resources[ALIAS]["Type"] == "AWS::Lambda::Alias"
    permission = stack.one("AWS::Lambda::Permission")
    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": ALIAS},
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {"Fn::Sub": "arn:aws:execute-api:eu-west-1:123456789012:${MatchvecApi}/*"},
    }


def test_methods_are_the_routes_and_the_rest_goes_to_the_function_too() -> None:
    posted = {route for route in Route if "POST" in route.methods}
    routes = set(Route) - ASSETS
    any_method = "x-amazon-apigateway-any-method"
    assert set(operations(DEFAULT)) == {
        *(f"post {path}" for path in (*(route.path for route in posted), "/{proxy+}")),
        *(f"get {route.path}" for route in routes - posted),
        *(f"options {route.path}" for route in routes),
        *(f"{any_method} {path}" for path in (*(route.path for route in routes), "/{proxy+}")),
    }


def test_pictures_arrive_as_bytes() -> None:
    types = body(DEFAULT)["x-amazon-apigateway-binary-media-types"]
    assert {"multipart/form-data", "image/jpeg", "image/png", "image/webp"} <= set(types)
    assert "*/*" not in types, "it would make text binary, too"


def test_there_is_one_stage_with_limits_and_access_logs() -> None:
    stage = DEFAULT.one("AWS::ApiGateway::Stage")
    assert stage["StageName"] == "prod"
    assert stage["MethodSettings"] == [
        {
            "HttpMethod": "*",
            "ResourcePath": "/*",
            "ThrottlingRateLimit": "20",
            "ThrottlingBurstLimit": "40",
        }
    ]
    log = stage["AccessLogSetting"]
    assert log["DestinationArn"] == {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}
    assert not re.search("query|querystring|apiKey|userAgent|authorizer", log["Format"])
    assert stage["Variables"] == {"LogRole": {"Ref": "ApiGatewayAccount"}}


def test_an_account_that_has_a_log_role_keeps_it() -> None:
    stack = Stack(ApiGatewayLogRole="existing")
    assert stack.of_type("AWS::ApiGateway::Account") == {}
    assert stack.one("AWS::ApiGateway::Stage")["Variables"] == {"LogRole": "existing"}
    for name in ("ApiGatewayAccount", "ApiGatewayAccountRole"):
        assert DEFAULT.resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_a_key_is_asked_for_only_where_it_is_wanted() -> None:
    expected: list[tuple[Stack, list[Any]]] = [(DEFAULT, []), (FULL, [{"ApiKey": []}])]
    for stack, security in expected:
        for name, operation in operations(stack).items():
            assert operation.get("security", []) == (security if name.startswith("post") else [])
    scheme = body(FULL)["components"]["securitySchemes"]["ApiKey"]
    assert scheme == {"type": "apiKey", "name": "x-api-key", "in": "header"}
    assert DEFAULT.of_type("AWS::ApiGateway::ApiKey") == {}
    plan = FULL.one("AWS::ApiGateway::UsagePlan")
    assert plan["ApiStages"] == [
        {"ApiId": {"Ref": "MatchvecApi"}, "Stage": {"Ref": "MatchvecApiStage"}}
    ]
    assert FULL.one("AWS::ApiGateway::UsagePlanKey")["KeyId"] == {"Ref": "ApiKey"}


def test_waf_counts_requests_by_address() -> None:
    [rule] = FULL.one("AWS::WAFv2::WebACL")["Rules"]
    assert rule["Statement"] == {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": "1000"}}
    assert rule["Action"] == {"Block": {}}
    association = FULL.one("AWS::WAFv2::WebACLAssociation")["ResourceArn"]["Fn::Sub"]
    assert association.endswith("/restapis/${MatchvecApi}/stages/${MatchvecApiStage}")


def test_a_private_api_answers_its_endpoint_alone() -> None:
    private = Stack(VpcEndpointId="vpce-0a1b").one("AWS::ApiGateway::RestApi")
    assert private["EndpointConfiguration"] == {
        "Types": ["PRIVATE"],
        "VpcEndpointIds": ["vpce-0a1b"],
    }
    [statement] = private["Body"]["x-amazon-apigateway-policy"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceVpce": "vpce-0a1b"}}
    public = DEFAULT.one("AWS::ApiGateway::RestApi")
    assert public["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "x-amazon-apigateway-policy" not in public["Body"]


def test_the_gateways_own_errors_have_the_cors_origin() -> None:
    stack = Stack(CorsOrigin="https://shop.example")
    responses = body(stack)["x-amazon-apigateway-gateway-responses"].values()
    header = "gatewayresponse.header.Access-Control-Allow-Origin"
    origins = {response["responseParameters"][header] for response in responses}
    assert origins == {"'https://shop.example'"}


# The function


def test_function_has_what_the_parameters_say() -> None:
    changed = Stack(
        Architecture="x86_64",
        MemorySize="1024",
        Timeout="20",
        EphemeralStorage="2048",
        LogFormat="Text",
        ReservedConcurrency="7",
    )
    function = changed.resources["MatchvecFunction"]["Properties"]
    assert function["Architectures"] == ["x86_64"]
    assert function["MemorySize"] == "1024"
    assert function["Timeout"] == "20"
    assert function["EphemeralStorage"] == {"Size": "2048"}
    assert function["ReservedConcurrentExecutions"] == "7"
    assert function["LoggingConfig"] == {
        "LogGroup": {"Ref": "FunctionLogGroup"},
        "LogFormat": "Text",
    }


def test_function_is_arm64_on_python_3_13_and_unreserved_by_default() -> None:
    function = DEFAULT.resources["MatchvecFunction"]["Properties"]
    assert function["Architectures"] == ["arm64"]
    assert function["Runtime"] == "python3.13"
    assert function["SnapStart"] == {"ApplyOn": "None"}
    assert "ReservedConcurrentExecutions" not in function


def test_logs_are_kept_as_long_as_wanted() -> None:
    groups = Stack(LogRetentionDays="90").of_type("AWS::Logs::LogGroup")
    assert {name: group["RetentionInDays"] for name, group in groups.items()} == {
        "AccessLogGroup": "90",
        "FunctionLogGroup": "90",
    }


def version(**given: str) -> str:
    [name] = Stack(**given).of_type("AWS::Lambda::Version")
    return name


def test_another_package_or_other_parameters_publish_another_version() -> None:
    """deploy.sh hashes both into PackageHash."""
    first, second = (version(PackageHash=each) for each in HASHES)
    assert first != second
    assert version(PackageHash=HASHES[0]) == first
    alias = Stack(PackageHash=HASHES[0]).resources[ALIAS]["Properties"]
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [first, "Version"]}


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_old_versions_are_pruned_or_kept(policy: str) -> None:
    stack = Stack(OldVersions=policy)
    [name] = stack.of_type("AWS::Lambda::Version")
    assert stack.resources[name]["DeletionPolicy"] == policy


BROKEN_RULES = {
    "SnapStart with storage": {"SnapStart": "PublishedVersions", "EphemeralStorage": "1024"},
    "SnapStart and provisioned": {"SnapStart": "PublishedVersions", "ProvisionedConcurrency": "1"},
    "timeout over the gateway's": {"Timeout": "30"},
    "key of a gateway without keys": {"FrontDoor": "http", "RequireApiKey": "true"},
    "private HTTP API": {"FrontDoor": "http", "VpcEndpointId": "vpce-1"},
    "domain for a function URL": {
        **{"FrontDoor": "url", "DomainName": "a.example", "CertificateArn": "arn:aws:acm:x"}
    },
    "domain without certificate": {"DomainName": "a.example"},
    "certificate without domain": {"CertificateArn": "arn:aws:acm:x"},
    "no address at all": {"DisableExecuteApiEndpoint": "true"},
    "two keys": {"RequireApiKey": "true", "ApiKeySecret": "a" * 20},
    "subnets alone": {"SubnetIds": "subnet-1"},
    "security groups alone": {"SecurityGroupIds": "sg-1"},
}


@pytest.mark.parametrize("given", BROKEN_RULES.values(), ids=BROKEN_RULES)
def test_contradictions_are_refused(given: dict[str, str]) -> None:
    assert len(broken_rules(packaged(), parameters_of(packaged(), given))) == 1
    assert broken_rules(packaged(), parameters_of(packaged(), {})) == []


PATTERNS = {
    "0": True, "1": False, "9": False, "99": False, "100": True, "2000": True, "-1": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "count"),
    [({}, 1), ({"WafRateLimit": "0"}, 0), ({"FrontDoor": "http"}, 0), ({"FrontDoor": "url"}, 0)],
)
def test_a_rest_api_has_a_limit_per_address(given: dict[str, str], count: int) -> None:
    assert len(Stack(**given).of_type("AWS::WAFv2::WebACL")) == count


@pytest.mark.parametrize(("value", "is_allowed"), PATTERNS.items())
def test_waf_has_no_limit_that_aws_refuses(value: str, is_allowed: bool) -> None:
    pattern = packaged()["Parameters"]["WafRateLimit"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) is is_allowed


# Deployment


def test_deployment_is_gradual_checked_and_rolled_back() -> None:
    group = DEFAULT.one("AWS::CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["CodeDeployRole", "Arn"]}
    policy = DEFAULT.resources[ALIAS]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert policy["BeforeAllowTrafficHook"] == {"Ref": "PreTrafficHook"}


def test_deployment_is_stopped_by_errors_of_the_new_version_alone() -> None:
    """Alarms that see the old version's errors would stop the deployment that repairs it."""
    [version_id] = DEFAULT.of_type("AWS::Lambda::Version")
    own = {"Fn::GetAtt": [version_id, "Version"]}
    group = DEFAULT.one("AWS::CodeDeploy::DeploymentGroup")
    names = [each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]]
    assert names == ["NewVersionErrorsAlarm", "NewVersionServerErrorsAlarm"]
    crashes, answers = (DEFAULT.resources[name]["Properties"] for name in names)
    assert {"Name": "ExecutedVersion", "Value": own} in crashes["Dimensions"]
    counted = DEFAULT.one("AWS::Logs::MetricFilter")
    version_text = f"${{{version_id}.Version}}"
    assert counted["FilterPattern"] == {
        "Fn::Sub": f'{{ $.Version = "{version_text}" && $.Status >= 500 }}'
    }
    [transformation] = counted["MetricTransformations"]
    assert transformation["MetricName"] == answers["MetricName"]
    assert transformation["MetricNamespace"] == answers["Namespace"] == "Matchvec/matchvec"
    without_metrics = Stack(MetricsNamespace="").one("AWS::CodeDeploy::DeploymentGroup")
    assert without_metrics["AlarmConfiguration"]["Alarms"] == [
        {"Name": {"Ref": "NewVersionErrorsAlarm"}}
    ]


def minutes_of(deployment_type: str) -> int:
    """Return the duration of a CodeDeploy configuration in minutes, from its name."""
    if deployment_type == "AllAtOnce":
        return 0
    percent, minutes = map(int, re.findall(r"\d+", deployment_type))
    return minutes if deployment_type.startswith("Canary") else minutes * (100 // percent)


def test_every_deployment_ends_while_everyone_waits() -> None:
    """SAM CLI waits for 60 minutes, and so long are the job and its credentials valid."""
    types = packaged()["Parameters"]["DeploymentType"]["AllowedValues"]
    assert minutes_of("Linear10PercentEvery10Minutes") == 100
    others = 20
    assert {each: minutes_of(each) for each in types if minutes_of(each) + others > 60} == {}


def test_hook_checks_the_new_version_and_codedeploy_may_call_it() -> None:
    hook = DEFAULT.resources["PreTrafficHook"]["Properties"]
    assert hook["FunctionName"] == "CodeDeployHook_matchvec"
    assert hook["Handler"] == "pre_traffic.handler"
    [version_id] = DEFAULT.of_type("AWS::Lambda::Version")
    variables = hook["Environment"]["Variables"]
    assert variables == {"NEW_VERSION": {"Ref": version_id}, "API_KEY_SECRET": ""}


def test_without_gradual_deployment_there_is_nothing_of_it() -> None:
    assert not [name for name in OFF.resources if "Deploy" in name and "Api" not in name]
    assert "PreTrafficHook" not in OFF.resources
    assert "UpdatePolicy" not in OFF.resources[ALIAS]


# Permissions


def test_roles_may_do_nothing_else() -> None:
    allowed = {
        action: statement["Resource"]
        for statement in statements(DEFAULT)
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert allowed == {
        "logs:CreateLogStream": {"Fn::GetAtt": ["FunctionLogGroup", "Arn"]},
        "logs:PutLogEvents": {"Fn::GetAtt": ["FunctionLogGroup", "Arn"]},
        "lambda:InvokeFunction": {"Fn::Sub": "${MatchvecFunction.Arn}:*"},
        "codedeploy:PutLifecycleEventHookExecutionStatus": (
            "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:"
            "matchvec-ServerlessDeploymentApplication-*/"
            "matchvec-MatchvecFunctionDeploymentGroup-*"
        ),
    }


def test_models_are_read_from_one_prefix() -> None:
    [statement] = [each for each in statements(FULL) if "s3" in json.dumps(each)]
    assert statement == {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::my-models/vehicles/v2/*",
    }


def test_the_function_has_no_managed_policy() -> None:
    assert "ManagedPolicyArns" not in FULL.resources["FunctionRole"]["Properties"]
    assert "ManagedPolicyArns" not in FULL.resources["PreTrafficHookRole"]["Properties"]


# Watching


def test_alarms_watch_errors_throttles_and_latency() -> None:
    alarms = DEFAULT.of_type("AWS::CloudWatch::Alarm")
    watched = {
        name: (alarm["MetricName"], alarm.get("Statistic", alarm.get("ExtendedStatistic")))
        for name, alarm in alarms.items()
    }
    assert watched == {
        "NewVersionErrorsAlarm": ("Errors", "Sum"),
        "NewVersionServerErrorsAlarm": (
            {"Fn::Sub": f"ServerErrors-${{{version()}.Version}}"},
            "Sum",
        ),
        "FunctionErrorsAlarm": ("Errors", "Sum"),
        "ServerErrorsAlarm": ("5XXError", "Sum"),
        "ThrottlesAlarm": ("Throttles", "Sum"),
        "LatencyAlarm": ("Latency", "p99"),
    }
    assert {alarm["TreatMissingData"] for alarm in alarms.values()} == {"notBreaching"}
    assert not [alarm for alarm in alarms.values() if "AlarmActions" in alarm]
    assert DEFAULT.one("AWS::ApiGateway::RestApi")["Name"] == "matchvec"


def test_alarms_are_mailed_where_somebody_wants_them() -> None:
    alarms = FULL.of_type("AWS::CloudWatch::Alarm")
    mailed = {name for name, alarm in alarms.items() if "AlarmActions" in alarm}
    # CodeDeploy acts on the others.
    assert set(alarms) - mailed == {"NewVersionErrorsAlarm", "NewVersionServerErrorsAlarm"}
    assert all(alarms[name]["AlarmActions"] == [{"Ref": "AlarmTopic"}] for name in mailed)
    assert FULL.one("AWS::SNS::Topic")["Subscription"] == [
        {"Protocol": "email", "Endpoint": "ops@example.com"}
    ]


@pytest.mark.parametrize("namespace", ["Matchvec", ""])
def test_dashboard_is_json_and_shows_the_functions_own_metrics(namespace: str) -> None:
    stack = Stack(MetricsNamespace=namespace)
    widgets = json.loads(stack.one("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"])[
        "widgets"
    ]
    names = {metric[0] for widget in widgets for metric in widget["properties"].get("metrics", [])}
    assert names == {"AWS/ApiGateway", "AWS/Lambda", namespace or "none", ".", "..."}


def test_tracing_is_an_option() -> None:
    for stack, mode, enabled in ((DEFAULT, "PassThrough", False), (FULL, "Active", True)):
        function = stack.resources["MatchvecFunction"]["Properties"]
        assert function["TracingConfig"] == {"Mode": mode}
        assert stack.one("AWS::ApiGateway::Stage")["TracingEnabled"] is enabled


def test_outputs_lead_to_the_api() -> None:
    assert DEFAULT.outputs["PredictUrl"]["Value"] == {
        "Fn::Sub": "https://${MatchvecApi}.execute-api.eu-west-1.amazonaws.com"
        "/${MatchvecApiStage}/predict"
    }
    assert "ApiKeyId" in FULL.outputs
    assert "ApiKeyId" not in DEFAULT.outputs


# The translation itself


def test_include_refuses_short_forms_as_aws_does() -> None:
    with pytest.raises(ConstructorError, match="could not determine a constructor"):
        include(
            {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "x"}}},
            lambda _: "uri: !Sub '${A}'",
        )


def test_unknown_parameters_are_refused() -> None:
    assert parameters_of(packaged(), {"StageName": "v1"})["StageName"] == "v1"
    with pytest.raises(ValueError, match="StageNaem"):
        parameters_of(packaged(), {"StageNaem": "v1"})
