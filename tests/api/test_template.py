"""template.yaml compared with the code that it deploys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

from scripts.deployment.rules import broken_rules
from service.settings import Settings

ROOT = Path(__file__).parent.parent.parent
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
FUNCTION: dict[str, Any] = TEMPLATE["Resources"]["MatchvecFunction"]["Properties"]


class Recording(dict[str, str]):
    """An environment that remembers which variables were read."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def test_template_runs_the_handler_behind_the_definition() -> None:
    assert FUNCTION["Handler"] == "lambda_function.lambda_handler_classification"
    body = TEMPLATE["Resources"]["MatchvecApi"]["Properties"]["DefinitionBody"]
    assert body == {
        "Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "swagger.yaml"}}
    }


NO_PARAMETER = {
    "BACKEND": "onnx",
    "BASE_MODEL_PATH": "",
    "MAX_REQUEST_BYTES": "",
    # The function also stops one second before its timeout.
    "DEADLINE_SECONDS": {"Fn::If": ["HasGateway", "28", "899"]},
    # The stack's own bucket, created with the parameter Uploads.
    "UPLOAD_BUCKET": {"Fn::If": ["HasUploads", {"Ref": "UploadBucket"}, ""]},
}
OTHER_NAME = {"MAX_UPLOAD_BYTES": "MaxObjectBytes"}


def test_template_declares_every_variable_with_its_default() -> None:
    environment = Recording()
    Settings.from_environment(environment)
    variables = dict(FUNCTION["Environment"]["Variables"])
    # Lambda sets variables with this prefix.
    read = {name for name in environment.names if not name.startswith("AWS_LAMBDA_")}
    assert variables.pop("RES_OPTIONS") == "timeout:2 attempts:1"  # The C library reads it.
    assert set(variables) == read
    assert {name: variables.pop(name) for name in NO_PARAMETER} == NO_PARAMETER
    parameters = TEMPLATE["Parameters"]
    defaults = {name: str(parameters[ref["Ref"]]["Default"]) for name, ref in variables.items()}
    # On AWS metrics are on. On a laptop they are off, as nothing would read them.
    assert defaults.pop("METRICS_NAMESPACE") == "Matchvec"
    assert Settings.from_environment(defaults) == Settings.from_environment({})
    # The same name in another spelling, so that a message about one leads to the other.
    assert {
        name: ref["Ref"]
        for name, ref in variables.items()
        if ref["Ref"].lower() != name.replace("_", "").lower()
    } == OTHER_NAME


def test_no_parameter_has_a_single_legal_value() -> None:
    parameters = TEMPLATE["Parameters"]
    assert [
        name for name, each in parameters.items() if len(each.get("AllowedValues", "ab")) < 2
    ] == []
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    assert len(parameters) <= 200


def test_every_parameter_is_in_one_group_of_the_console() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(
        TEMPLATE["Parameters"]
    )


def test_api_gateway_may_invoke_the_function_on_every_path() -> None:
    permission = TEMPLATE["Resources"]["GatewayPermission"]["Properties"]
    assert permission["FunctionName"] == {"Ref": "MatchvecFunction.Alias"}
    _, rest, http = permission["SourceArn"]["Fn::If"]
    assert rest["Fn::Sub"].endswith(":${MatchvecApi}/*")
    assert http["Fn::Sub"].endswith(":${MatchvecHttpApi}/*")


def test_the_function_ends_before_api_gateway_does() -> None:
    assert TEMPLATE["Parameters"]["Timeout"]["Default"] == 29
    limits = {"rest": "29", "http": "29", "url": "900"}
    values = {name: str(each["Default"]) for name, each in TEMPLATE["Parameters"].items()}
    for front_door, limit in limits.items():
        for timeout in ("3", "29", "30", "900"):
            given = {**values, "FrontDoor": front_door, "Timeout": timeout}
            is_allowed = int(timeout) <= int(limit)
            assert (broken_rules(TEMPLATE, given) == []) is is_allowed, (front_door, timeout)


def test_sam_and_cfn_lint_find_nothing() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "samcli", "validate", "--lint"),
            *("--template", str(ROOT / "template.yaml"), "--region", "us-east-1"),
        ],
        env={
            **os.environ,
            "SAM_CLI_TELEMETRY": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",  # Without any it looks for a role on the network.
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout
