"""scripts/deploy.sh from the first line to the last, against AWS's APIs on this machine."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.support.cloudformation import LocalAws, local_aws
from tests.support.local_api import ROOT, local_api
from tests.support.stack import Stack

pytestmark = pytest.mark.filterwarnings(
    # moto's server runs in this process. What it does not make, the tests do not ask for.
    "ignore:Tried to parse AWS:UserWarning",
    "ignore::DeprecationWarning:moto",
)

STACK = "matchvec-test"
NO_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
AWS_VARIABLES = (
    *("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_REGION", "AWS_DEFAULT_REGION"),
)


def run_script(
    name: str, *arguments: str, answer: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if key not in AWS_VARIABLES}
    return subprocess.run(
        ["bash", str(ROOT / "scripts" / name), *arguments],
        env={**inherited, **NO_AWS, **environment},
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """A build, which the tests share; it needs no account."""
    done = run_script("deploy.sh", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout
    assert "this would deploy stack matchvec" in done.stdout


@dataclass(frozen=True)
class Deployed:
    """A stack that deploy.sh made.

    Attributes:
        aws: Where it is.
        environment: What deploy.sh is run with: `curl` on the PATH goes to the local API.
        output: What deploy.sh said.
    """

    aws: LocalAws
    environment: dict[str, str]
    output: str


def curl_to(url: str, directory: Path) -> None:
    """A `curl` that finds the host of API Gateway, which no name server here knows."""
    real = shutil.which("curl")
    script = directory / "curl"
    script.write_text(
        "#!/usr/bin/env bash\n"
        "arguments=()\n"
        'for each in "$@"; do\n'
        f"    arguments+=(\"$(sed -E 's#^https://[a-z0-9]+[.]execute-api[.]eu-west-1[.]"
        f'amazonaws[.]com/prod#{url}#\' <<<"$each")")\n'
        "done\n"
        f'exec {real} "${{arguments[@]}}"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


OUTPUT: list[str] = []
"""Output of each deployment."""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAws, dict[str, str]]]:
    """AWS on this machine, and the environment variables for the scripts."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    directory = tmp_path_factory.mktemp("deploy")
    with local_aws() as aws, local_api(directory / "log") as api:
        curl_to(api.url, directory)
        yield aws, {**aws.environment, "PATH": f"{directory}:{os.environ['PATH']}"}


@pytest.fixture
def deployed(account: tuple[LocalAws, dict[str, str]]) -> Deployed:
    """The deployed stack. It is deployed first if it is new, or if a test has deleted it."""
    aws, environment = account
    try:
        aws.client("cloudformation").describe_stacks(StackName=STACK)
    except ClientError:
        OUTPUT.append(deploy(environment))
    return Deployed(aws, environment, OUTPUT[-1])


def deploy(environment: dict[str, str]) -> str:
    done = run_script("deploy.sh", "--stack", STACK, "--no-build", **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_deploys_posts_a_picture_and_says_what_next(deployed: Deployed) -> None:
    assert "The API answers: car: 0." in deployed.output
    last = deployed.output.strip().splitlines()[-1].strip()
    assert last.startswith("curl -F image=@samples/street.jpg 'https://")
    assert last.endswith(".execute-api.eu-west-1.amazonaws.com/prod/predict'")


def test_cloudformation_was_asked_for_the_whole_stack(deployed: Deployed) -> None:
    types = Counter(each["Type"] for each in deployed.aws.templates[1]["Resources"].values())
    expected = Counter(each["Type"] for each in Stack().resources.values())
    assert types == expected
    assert expected["AWS::Lambda::Alias"] == 1


def test_the_stack_has_its_resources(deployed: Deployed) -> None:
    """By the services' own word: moto reports success for a stack without any."""
    aws = deployed.aws
    functions = aws.client("lambda").list_functions()["Functions"]
    assert {function["Handler"] for function in functions} == {
        "lambda_function.lambda_handler_classification",
        "pre_traffic.handler",
    }
    assert {function["Runtime"] for function in functions} == {"python3.13"}
    [api] = aws.client("apigateway").get_rest_apis()["items"]
    assert api["name"] == STACK
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"] for group in groups} >= {
        f"/matchvec/{STACK}/function",
        f"/matchvec/{STACK}/access",
    }
    roles = {role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]}
    assert {name.split("-")[2] for name in roles} >= {"FunctionRole", "PreTrafficHookRole"}
    assert aws.client("cloudwatch").list_dashboards()["DashboardEntries"]


def test_the_package_is_in_the_bucket(deployed: Deployed) -> None:
    s3 = deployed.aws.client("s3")
    [bucket] = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    sizes = sorted(
        each["Size"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=STACK)["Contents"]
    )
    assert sizes[-1] > 20_000_000  # The function, zipped.


def versions(deployed: Deployed) -> list[str]:
    template = deployed.aws.templates[-1]["Resources"]
    return [name for name, each in template.items() if each["Type"] == "AWS::Lambda::Version"]


@pytest.mark.slow
def test_run_again_it_changes_what_has_changed(deployed: Deployed) -> None:
    [first] = versions(deployed)
    changes = ("--parameter-overrides", "DetectionThreshold=0.5", "MemorySize=1024")
    changed = run_script(
        "deploy.sh", "--stack", STACK, "--no-build", *changes, **deployed.environment
    )
    assert changed.returncode == 0, changed.stdout + changed.stderr
    [second] = versions(deployed)
    assert second != first

    kept = run_script("deploy.sh", "--stack", STACK, "--no-build", **deployed.environment)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert versions(deployed) == [second], "the parameters were kept, so is the version"
    [function] = [
        each
        for each in deployed.aws.client("lambda").list_functions()["Functions"]
        if each["Handler"].startswith("lambda_function")
    ]
    assert function["MemorySize"] == 1024
    assert function["Environment"]["Variables"]["DETECTION_THRESHOLD"] == "0.5"


@pytest.mark.slow
def test_an_archive_is_deployed_and_found_by_its_script() -> None:
    """The second function has the first one's package, which is uploaded once."""
    with local_aws() as aws:
        overrides = ("ArchiveBucket=my-pictures", "ArchivePrefix=2024/")
        options = ("--stack", "arch", "--no-build", "--no-check", "--parameter-overrides")
        done = run_script("deploy.sh", *options, *overrides, **aws.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        resources = aws.templates[-1]["Resources"]
        codes = [
            resources[f"Matchvec{name}Function"]["Properties"]["Code"] for name in ("", "Batch")
        ]
        assert codes[0] == codes[1]
        place = resources["BulkStateMachine"]["Properties"]["DefinitionS3Location"]
        definition = (ROOT / "statemachine" / "bulk.asl.json").read_text()
        assert aws.read(f"s3://{place['Bucket']}/{place['Key']}") == definition
        [machine] = aws.client("stepfunctions").list_state_machines()["stateMachines"]
        assert machine["name"] == "arch-bulk"

        status = run_script("bulk.sh", "status", "--stack", "arch", **aws.environment)
        assert "there was no run yet" in status.stderr


WRONG_ANSWERS = {
    "no car": ("[[]]", "the answer has no car"),
    "two pictures": ("[[], []]", "the answer is not one list of vehicles"),
    "a page": ("<html>", "the answer is not one list of vehicles"),
}


@pytest.mark.parametrize(("body", "message"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_an_answer_that_is_wrong_fails(
    deployed: Deployed, tmp_path: Path, body: str, message: str
) -> None:
    curl = tmp_path / "curl"
    curl.write_text(f"#!/bin/sh\ncat <<'END'\n{body}\nEND\n")
    curl.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "scripts.deployment", "post", STACK, "samples/car.jpg"],
        cwd=ROOT,
        env={**os.environ, **NO_AWS, **deployed.aws.environment, "PATH": str(tmp_path) + ":/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr


def test_destroy_asks_first_and_then_deletes(deployed: Deployed) -> None:
    cloudformation = deployed.aws.client("cloudformation")
    refused = run_script("destroy.sh", "--stack", STACK, answer="no\n", **deployed.environment)
    assert refused.returncode == 1
    assert "nothing was deleted" in refused.stderr
    assert cloudformation.describe_stacks(StackName=STACK)["Stacks"]

    done = run_script("destroy.sh", "--stack", STACK, answer=f"{STACK}\n", **deployed.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not deployed.aws.client("lambda").list_functions()["Functions"]
    s3 = deployed.aws.client("s3")
    [bucket] = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


MISTAKES = {
    "unknown option": (["--stak", "x"], "unknown option --stak"),
    "no value": (["--stack"], "--stack needs a value"),
    "bad name": (["--stack", "my_stack"], "must be at most 49 letters, digits and hyphens"),
    "bad processor": (["--arch", "mips"], "--arch must be arm64 or x86_64"),
    "unknown parameter": (
        ["--parameter-overrides", "MemorySice=1024"],
        "the template has no parameter MemorySice",
    ),
    "bad value": (
        ["--parameter-overrides", "MemorySize=1000"],
        "MemorySize must be one of 512, 1024",
    ),
    "no region": ([], "Pass --region"),
    "no credentials": (["--region", "eu-west-1"], "there are no AWS credentials"),
    "unknown profile": (["--region", "eu-west-1", "--profile", "nobody"], "nobody"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_before_the_build(arguments: list[str], message: str) -> None:
    done = run_script("deploy.sh", *arguments)

    assert done.returncode == 1
    assert message in done.stderr
    assert "== Build" not in done.stdout
