"""What differs between the front doors, and the check after a deployment."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from scripts.deployment import sample
from scripts.deployment.aws import HIDDEN, DeploymentError
from tests.support.parameter_sets import DOMAIN
from tests.support.stack import Stack, packaged

ROOT = Path(__file__).parent.parent.parent
ALIAS = {"Ref": "MatchvecFunctionAliaslive"}
REST, HTTP, URL = (Stack(FrontDoor=name) for name in ("rest", "http", "url"))
OF_REST = {
    *("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"),
    "AWS::ApiGateway::Account",
}
OF_HTTP = {
    *("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Integration"),
    *("AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage"),
}


def test_each_has_its_own_resources_and_none_of_the_others() -> None:
    types = [{each["Type"] for each in stack.resources.values()} for stack in (REST, HTTP, URL)]
    fronts = OF_REST | OF_HTTP | {"AWS::Lambda::Url"}
    assert [each & fronts for each in types] == [OF_REST, OF_HTTP, {"AWS::Lambda::Url"}]


def test_all_invoke_the_alias() -> None:
    assert HTTP.one("AWS::ApiGatewayV2::Integration")["IntegrationUri"] == ALIAS
    assert URL.one("AWS::Lambda::Url")["TargetFunctionArn"] == ALIAS
    for stack in (REST, HTTP, URL):
        permissions = stack.of_type("AWS::Lambda::Permission").values()
        assert all(each["FunctionName"] == ALIAS for each in permissions)


def test_an_http_api_passes_every_path_on() -> None:
    assert HTTP.one("AWS::ApiGatewayV2::Route")["RouteKey"] == "$default"
    assert HTTP.one("AWS::ApiGatewayV2::Integration")["PayloadFormatVersion"] == "2.0"
    stage = HTTP.one("AWS::ApiGatewayV2::Stage")
    assert stage["StageName"] == "$default"
    assert stage["AutoDeploy"] is True
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": "20",
        "ThrottlingBurstLimit": "40",
    }
    rest_log = REST.one("AWS::ApiGateway::Stage")["AccessLogSetting"]
    assert stage["AccessLogSettings"] == rest_log


def test_the_function_alone_writes_cors_headers() -> None:
    assert "CorsConfiguration" not in HTTP.one("AWS::ApiGatewayV2::Api")
    assert "Cors" not in URL.one("AWS::Lambda::Url")


def test_a_function_url_is_public_by_both_permissions() -> None:
    permissions = sorted(
        (each["Action"], each["Principal"], each.get("InvokedViaFunctionUrl"))
        for each in URL.of_type("AWS::Lambda::Permission").values()
    )
    assert permissions == [
        ("lambda:InvokeFunction", "*", True),
        ("lambda:InvokeFunctionUrl", "*", None),
    ]


LATENCIES = {
    "rest": ("AWS/ApiGateway", "Latency", "5XXError", {"ApiName", "Stage"}),
    "http": ("AWS/ApiGateway", "Latency", "5xx", {"ApiId"}),
    "url": ("AWS/Lambda", "UrlRequestLatency", "Url5xxCount", {"FunctionName", "Resource"}),
}


@pytest.mark.parametrize("name", LATENCIES)
def test_alarms_and_dashboard_watch_the_front_door(name: str) -> None:
    stack = Stack(FrontDoor=name)
    namespace, latency, errors, dimensions = LATENCIES[name]
    for alarm, metric in (("LatencyAlarm", latency), ("ServerErrorsAlarm", errors)):
        properties = stack.resources[alarm]["Properties"]
        assert (properties["Namespace"], properties["MetricName"]) == (namespace, metric)
        assert {each["Name"] for each in properties["Dimensions"]} == dimensions
    body = stack.one("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Sub"]
    names = {
        metric[1]
        for widget in json.loads(body)["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if isinstance(metric[1], str)
    }
    assert {latency, errors} <= names


@pytest.mark.parametrize("front_door", ["rest", "http"])
def test_a_custom_domain_leads_to_the_api(front_door: str) -> None:
    stack = Stack(FrontDoor=front_door, DisableExecuteApiEndpoint="true", **DOMAIN)
    domain = stack.one("AWS::ApiGatewayV2::DomainName")
    assert domain["DomainName"] == DOMAIN["DomainName"]
    [configuration] = domain["DomainNameConfigurations"]
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    mapping = stack.one("AWS::ApiGatewayV2::ApiMapping")
    api = {"rest": "MatchvecApi", "http": "MatchvecHttpApi"}[front_door]
    assert mapping["ApiId"] == {"Ref": api}
    assert stack.outputs["PredictUrl"]["Value"] == f"https://{DOMAIN['DomainName']}/predict"
    assert "DomainTarget" in stack.outputs
    if front_door == "http":
        is_off = stack.one("AWS::ApiGatewayV2::Api")["DisableExecuteApiEndpoint"]
    else:
        definition = stack.one("AWS::ApiGateway::RestApi")["Body"]
        name = "x-amazon-apigateway-endpoint-configuration"
        is_off = definition[name]["disableExecuteApiEndpoint"]
    assert is_off is True


def test_longer_requests_end_with_the_function_url() -> None:
    deadlines = {
        name: Stack(FrontDoor=name).resources["MatchvecFunction"]["Properties"]["Environment"][
            "Variables"
        ]["DEADLINE_SECONDS"]
        for name in ("rest", "http", "url")
    }
    assert deadlines == {"rest": "28", "http": "28", "url": "899"}


# Plain SAM


def test_plain_sam_deploys_every_time_and_with_the_scripts_settings() -> None:
    assert packaged()["Resources"]["MatchvecApi"]["Properties"]["AlwaysDeploy"] is True
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert settings["build"]["parameters"]["build_in_source"] is True
    script = (ROOT / "scripts" / "deploy.sh").read_text()
    assert f"--capabilities {settings['deploy']['parameters']['capabilities']} " in script


# The check after a deployment


CAR = '[[{"label": "car", "class_name": "car"}]]'


class Api:
    """The stack's outputs and parameters, and curl's answers."""

    def __init__(self, outputs: dict[str, str], parameters: dict[str, str]) -> None:
        self.outputs = {"PredictUrl": "https://a.example/predict", **outputs}
        self.parameters = parameters
        self.requests: list[list[str]] = []
        self.statuses = iter(["403"] * 9)

    def get_api_key(self, **_: Any) -> dict[str, str]:
        return {"value": "the-key"}

    def curl(self, options: list[str]) -> Any:
        self.requests.append(options)
        text = next(self.statuses) if "--write-out" in options else CAR

        class Done:
            returncode, stdout, stderr = 0, text, ""

        return Done()


def use(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    monkeypatch.setattr(sample, "current_parameters", lambda _: api.parameters)
    monkeypatch.setattr(sample, "predict_url", lambda _: api.outputs["PredictUrl"])
    monkeypatch.setattr(sample, "output", lambda _, name: api.outputs.get(name))
    monkeypatch.setattr(sample, "client", lambda _: api)
    monkeypatch.setattr(sample, "_curl", api.curl)
    monkeypatch.setattr(sample, "PAUSE_SECONDS", 0)
    monkeypatch.delenv("API_KEY_SECRET", raising=False)


def test_an_open_api_gets_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api({}, {"ApiKeySecret": ""})
    use(monkeypatch, api)
    assert sample.post("x", Path("car.jpg")) == "The API answers: car"
    assert len(api.requests) == 1


KEYS = {
    "of the gateway": ({"ApiKeyId": "id"}, {}, "", 2),
    "of the function": ({}, {"ApiKeySecret": HIDDEN}, "a-key", 2),
    "of the function, unknown": ({}, {"ApiKeySecret": HIDDEN}, "", 1),
}


@pytest.mark.parametrize(("outputs", "parameters", "known", "count"), KEYS.values(), ids=KEYS)
def test_with_a_key_a_request_without_it_must_be_refused(
    monkeypatch: pytest.MonkeyPatch,
    outputs: dict[str, str],
    parameters: dict[str, str],
    known: str,
    count: int,
) -> None:
    api = Api(outputs, parameters)
    use(monkeypatch, api)
    if known:
        monkeypatch.setenv("API_KEY_SECRET", known)
    sample.post("x", Path("car.jpg"))
    assert len(api.requests) == count
    assert ["--config" in each for each in api.requests] == [False, True][:count]


def test_an_api_that_stays_open_fails_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api({"ApiKeyId": "id"}, {})
    api.statuses = iter(["200"] * 9)
    use(monkeypatch, api)
    with pytest.raises(DeploymentError, match="gets 200 instead of 403"):
        sample.post("x", Path("car.jpg"))
    assert len(api.requests) == sample.ATTEMPTS


def test_a_new_stage_has_time_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api({"ApiKeyId": "id"}, {})
    api.statuses = iter(["200", "200", "403"])
    use(monkeypatch, api)
    assert "car" in sample.post("x", Path("car.jpg"))


def test_a_custom_domain_needs_no_record_for_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api({"DomainTarget": "d-1.execute-api.eu-west-1.amazonaws.com"}, {})
    use(monkeypatch, api)
    sample.post("x", Path("car.jpg"))
    [request] = api.requests
    target = request[request.index("--connect-to") + 1]
    assert target == "a.example:443:d-1.execute-api.eu-west-1.amazonaws.com:443"
