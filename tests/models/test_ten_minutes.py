"""The commands at the start of docs/models.md, from a file to the answer of a deployed API.

Buckets and stacks are moto's. The deployed API is the local API, which loads the model from the
bucket.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.deploy.test_deploy_script import curl_to
from tests.models.test_own_model import ROOT, SHORT, tiny_files
from tests.support.cloudformation import LocalAws, local_aws
from tests.support.local_api import local_api

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore:Tried to parse AWS:UserWarning", "ignore::DeprecationWarning:moto"
    ),
]

COMMANDS = re.findall(r"^```shell\n(.*?)\n^```$", SHORT, re.MULTILINE | re.DOTALL)
AWS_CLI = f"""#!{sys.executable}
import os, pathlib, sys
import boto3
s3, cp, recursive, folder, uri = sys.argv[1:]
assert (s3, cp, recursive) == ("s3", "cp", "--recursive")
bucket, _, prefix = uri.removeprefix("s3://").partition("/")
for path in pathlib.Path(folder).iterdir():
    boto3.client("s3").upload_file(str(path), bucket, prefix + "/" + path.name)
"""
"""The AWS CLI, as far as the document uses it."""


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as services:
        yield services


def files_at_home(home: Path) -> None:
    """Create the model, its labels and photographs where the document has them."""
    downloads, photos = home / "Downloads", home / "photos"
    downloads.mkdir()
    photos.mkdir()
    tiny_files(downloads)
    (downloads / "yolox_nano.onnx").rename(downloads / "model.onnx")
    names = ["person", "bicycle", "car", *(f"class {number}" for number in range(3, 80))]
    (downloads / "labels.txt").write_text("\n".join(names))
    for number in range(8):
        Image.new("RGB", (96, 64), (number, 90, 90)).save(photos / f"{number}.jpg")


def test_the_commands_lead_to_a_deployed_answer(aws: LocalAws, tmp_path: Path) -> None:
    files_at_home(tmp_path)
    aws.client("s3").create_bucket(
        Bucket="my-models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    program = tmp_path / "aws"
    program.write_text(AWS_CLI)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {
        **os.environ, **aws.environment,
        "HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }  # fmt: skip

    def run(command: str) -> str:
        command = command.replace(".venv/bin/python", sys.executable)
        command = command.replace("curl ", "curl -sS ")
        if " check " in command:
            command += f" --out {tmp_path / 'out'}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    *local, deploy, ask = COMMANDS
    assert [each.split()[3] for each in local] == ["add", "check", "--recursive"]
    for command in local:
        run(command)
    assert len(list((tmp_path / "out" / "my_model").iterdir())) == 8

    parameters = dict(each.split("=") for each in deploy.split() if "=" in each)
    assert set(parameters) == {"ModelUri", "DetectionModel"}
    variables = {
        **aws.environment,
        "MODEL_URI": parameters["ModelUri"],
        "DETECTION_MODEL": parameters["DetectionModel"],
        "BASE_MODEL_PATH": str(tmp_path / "downloaded"),
    }
    with local_api(tmp_path / "log", **variables) as api:
        curl_to(api.url, tmp_path)
        output = run(f"{deploy} --stack ten-minutes")
        [[car]] = json.loads(run(ask))

    assert "The API answers" in output
    assert car["class_name"] == "car"
    stacks = aws.client("cloudformation").describe_stacks(StackName="ten-minutes")["Stacks"]
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stacks[0]["Parameters"]}
    assert given.items() >= parameters.items()
    assert (tmp_path / "downloaded" / "my_model" / "manifest.json").is_file()
