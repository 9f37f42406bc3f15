"""template.yaml against the code that it deploys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

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


def test_template_declares_every_variable_with_its_default() -> None:
    environment = Recording()
    Settings.from_environment(environment)
    variables = dict(FUNCTION["Environment"]["Variables"])
    # Lambda itself sets the one that says how large the function is.
    assert set(variables) == environment.names - {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}
    parameters = TEMPLATE["Parameters"]
    # The stack's own bucket, made where the parameter Uploads asks for it.
    own = variables.pop("UPLOAD_BUCKET")
    assert own == {"Fn::If": ["HasUploads", {"Ref": "UploadBucket"}, ""]}
    defaults = {name: str(parameters[ref["Ref"]]["Default"]) for name, ref in variables.items()}
    # On AWS metrics are on; where nobody reads them, such as on a laptop, they are off.
    assert defaults.pop("METRICS_NAMESPACE") == "Matchvec"
    assert Settings.from_environment(defaults) == Settings.from_environment({})
    # The same name in another spelling, so that a message about one finds the other.
    for name, ref in variables.items():
        assert ref["Ref"].lower() == name.replace("_", "").lower()


def test_api_gateway_may_invoke_the_function_on_every_path() -> None:
    events = [event["Properties"] for event in FUNCTION["Events"].values()]
    assert {(event["Path"], event["Method"]) for event in events} == {
        ("/", "ANY"),
        ("/{proxy+}", "ANY"),
    }
    assert all(event["RestApiId"] == {"Ref": "MatchvecApi"} for event in events)


def test_pictures_are_given_up_before_the_function_and_that_before_the_gateway() -> None:
    parameters = TEMPLATE["Parameters"]
    assert parameters["DeadlineSeconds"]["Default"] < parameters["Timeout"]["Default"]
    assert parameters["Timeout"]["Default"] <= parameters["Timeout"]["MaxValue"] == 29


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
