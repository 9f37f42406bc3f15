"""The steps, in order. Each one raises `StepFailed` if it finds something else than it should."""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.verification.shell import Shell, expect

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ORIGIN = "https://verify.example"
PICTURES = 100
BAD_PICTURES = 3
UPLOAD_WIDTH, UPLOAD_HEIGHT = 2800, 2500
"""Pixels of the uploaded picture: 21 MB as a BMP."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the verification.

    Attributes:
        title: What the step does and checks.
        run: Function that does it.
    """

    title: str
    run: Callable[[Shell], None]


def check_account(shell: Shell) -> None:
    """Check the credentials, and that the stack's name is free."""
    shell.aws("sts", "get-caller-identity")
    status = shell.stack_status()
    expect(status is None, f"the stack {shell.stack} exists. Choose another name with --stack.")


def create_archive(shell: Shell) -> None:
    """Create a bucket with pictures and with files that are not pictures."""
    bucket = archive_bucket(shell)
    where = ["--create-bucket-configuration", f"LocationConstraint={shell.region}"]
    # S3 refuses the default region as a constraint.
    where = [] if shell.region == "us-east-1" else where
    shell.aws("s3api", "create-bucket", "--bucket", bucket, *where)
    samples = sorted(SAMPLES.glob("*.jpg"))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(PICTURES):
            target = Path(folder) / f"{number:03}.jpg"
            if number < BAD_PICTURES:
                target.write_text(f"no picture {number}")
            else:  # Different content for each, so that none is answered twice.
                shutil.copy(samples[number % len(samples)], target)
                with target.open("ab") as file:
                    file.write(str(number).encode())
        shell.run("aws", "s3", "cp", "--recursive", folder, f"s3://{bucket}/pictures/")


def deploy_first(shell: Shell) -> None:
    """Deploy a stack that does not exist."""
    shell.deploy(f"ArchiveBucket={archive_bucket(shell)}", "Uploads=true")
    status = shell.stack_status()
    expect(status == "CREATE_COMPLETE", f"the stack is in state {status}.")


def post_picture(shell: Shell) -> None:
    """Post a picture, and find the car in it."""
    text = shell.curl("--form", f"image=@{SAMPLES / 'car.jpg'}", shell.outputs()["PredictUrl"])
    shell.count("pictures")
    [vehicles] = json.loads(text)
    expect("car" in {each["class_name"] for each in vehicles}, f"no car is found: {text[:200]}")


def deploy_unchanged(shell: Shell) -> None:
    """Deploy again, and see that nothing changes."""
    before = (stage_deployment(shell), live_version(shell))
    shell.deploy()
    expect(before == (stage_deployment(shell), live_version(shell)), "something has changed.")


def change_origin(shell: Shell) -> None:
    """Change CorsOrigin, and see a new deployment of the API and the new header."""
    before = stage_deployment(shell)
    shell.deploy(f"CorsOrigin={ORIGIN}")
    expect(stage_deployment(shell) != before, "the stage serves the old deployment.")
    url = shell.outputs()["PredictUrl"]
    headers = shell.curl("--request", "OPTIONS", "--include", "--output", "-", url)
    expect(ORIGIN in headers, f"the answer has another origin: {headers[:300]}")


def require_key(shell: Shell) -> None:
    """Require a key, and see requests without it refused by the gateway in the new origin."""
    shell.deploy("RequireApiKey=true")
    outputs = shell.outputs()
    post = ["--form", f"image=@{SAMPLES / 'car.jpg'}", outputs["PredictUrl"]]
    shell.wait_for_status("403", *post)
    refused = shell.curl("--include", *post)
    expect("invalid_api_key" in refused, f"the refusal has another code: {refused[:300]}")
    expect(ORIGIN in refused, f"the refusal has another origin: {refused[:300]}")
    key = shell.aws(
        "apigateway", "get-api-key", "--include-value", "--api-key", outputs["ApiKeyId"]
    )
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as config:
        config.write(f'header = "x-api-key: {key["value"]}"\n')
        config.flush()
        shell.wait_for_status("200", "--config", config.name, *post)
    shell.count("pictures")


def drop_key(shell: Shell) -> None:
    """Require no key again, and see requests without it answered."""
    shell.deploy("RequireApiKey=false")
    post = ["--form", f"image=@{SAMPLES / 'car.jpg'}", shell.outputs()["PredictUrl"]]
    shell.wait_for_status("200", *post)
    shell.count("pictures")


def deploy_broken(shell: Shell) -> None:
    """Deploy a version without models, and see it rolled back while the old one serves."""
    before = live_version(shell)
    done = shell.deploy("DetectionModel=no_such_model", check=False)
    expect(done.returncode != 0, "a version without models was deployed.")
    status = shell.wait_until_idle()
    expect(status == "UPDATE_ROLLBACK_COMPLETE", f"the stack is in state {status}.")
    expect(live_version(shell) == before, "the alias has another version.")
    post_picture(shell)


def run_archive(shell: Shell) -> None:
    """Answer an archive, and find a row for every picture and an error for the bad ones."""
    shell.run("bulk.sh", "start", "--stack", shell.stack, "--prefix", "pictures/")
    shell.run("bulk.sh", "status", "--stack", shell.stack, "--follow")
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        shell.run("bulk.sh", "results", "--stack", shell.stack, "--output", str(rows))
        found = [json.loads(line) for line in rows.read_text().splitlines()]
    shell.count("archived", len(found))
    bad = [row for row in found if row["error"]]
    expect(len(found) == PICTURES, f"{len(found)} of {PICTURES} pictures have a row.")
    expect(len(bad) == BAD_PICTURES, f"{len(bad)} rows have an error, not {BAD_PICTURES}.")


def upload_large(shell: Shell) -> None:
    """Upload a picture of 20 MB to the bucket, and have it decoded."""
    api = shell.outputs()["ApiUrl"]
    offer = json.loads(
        shell.curl(
            *("--header", "Content-Type: application/json"),
            *("--data", '{"content_type": "image/bmp"}', f"{api}/uploads"),
        )
    )
    fields = [
        part for name, value in offer["fields"].items() for part in ("--form", f"{name}={value}")
    ]
    with tempfile.NamedTemporaryFile(suffix=".bmp") as picture:
        picture.write(bmp(UPLOAD_WIDTH, UPLOAD_HEIGHT))
        picture.flush()
        status = shell.status_of(*fields, "--form", f"file=@{picture.name}", offer["url"])
    expect(status == "204", f"S3 answers the upload {status}.")
    shape = json.loads(shell.curl("--form", f"s3={offer['s3']}", f"{api}/shape"))
    expect(shape == [[UPLOAD_HEIGHT, UPLOAD_WIDTH, 3]], f"the picture's shape is {shape}.")
    shell.count("pictures")


def archive_bucket(shell: Shell) -> str:
    """Return the name of the bucket for the archive."""
    account = shell.aws("sts", "get-caller-identity")["Account"]
    return f"{shell.stack}-pictures-{account}-{shell.region}"


def stage_deployment(shell: Shell) -> str:
    """Return the id of the deployment that the stage serves."""
    api = shell.outputs()["ApiUrl"].removeprefix("https://").partition(".")[0]
    stage = shell.aws("apigateway", "get-stage", "--rest-api-id", api, "--stage-name", "prod")
    return str(stage["deploymentId"])


def live_version(shell: Shell) -> str:
    """Return the version of the function that the alias names."""
    function, _, alias = shell.outputs()["FunctionAlias"].rpartition(":")
    found = shell.aws("lambda", "get-alias", "--function-name", function, "--name", alias)
    return str(found["FunctionVersion"])


def bmp(width: int, height: int) -> bytes:
    """Return a gray BMP of 24 bits per pixel."""
    row = width * 3 + -width * 3 % 4
    header = struct.pack("<2sIHHI", b"BM", 54 + row * height, 0, 0, 54)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, row * height, 0, 0, 0, 0)
    return header + info + b"\x80" * (row * height)


STEPS = [
    Step("Check the credentials, and that the stack's name is free", check_account),
    Step(f"Create a bucket with {PICTURES} pictures, {BAD_PICTURES} of them bad", create_archive),
    Step("Deploy from nothing", deploy_first),
    Step("Post a picture and find the car", post_picture),
    Step("Deploy again and see that nothing changes", deploy_unchanged),
    Step("Change CorsOrigin and see the API's new deployment", change_origin),
    Step("Require a key and see requests without it refused", require_key),
    Step("Require no key again and see requests answered", drop_key),
    Step("Deploy a broken version and see it rolled back", deploy_broken),
    Step("Run the archive and find every row", run_archive),
    Step("Upload a picture of 20 MB and have it decoded", upload_large),
]
