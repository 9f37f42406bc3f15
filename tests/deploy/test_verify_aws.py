"""scripts/verify_aws.sh against a fake AWS CLI that keeps an account and records calls."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scripts.verification import cleanup, shell
from scripts.verification.__main__ import plan, verify
from scripts.verification.shell import Shell, StepFailed
from scripts.verification.steps import STEPS, UPLOAD_HEIGHT, UPLOAD_WIDTH, bmp
from tests.support.fake_aws_cli import run

ROOT = Path(__file__).parent.parent.parent
FAKE = ROOT / "tests" / "support" / "fake_aws_cli.py"
STACK = "matchvec-verify"
EXISTING = ["somebodys-pictures"]


@dataclass
class Direct(Shell):
    """A shell that calls the fake without a process."""

    folder: Path = Path()

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        status, text = run(self.folder, command[0], list(command[1:]))
        if check and status:
            raise StepFailed(text)
        return subprocess.CompletedProcess(command, status, "" if status else text, text)


@contextlib.contextmanager
def restored_signals() -> Iterator[None]:
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(name) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


class Account:
    """A fake account, and the programs that change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "state.json"
        self._state.write_text(json.dumps({"stack": None, "buckets": EXISTING}))
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("aws", "curl", "deploy.sh", "destroy.sh", "bulk.sh"):
            program = self.bin / name
            program.write_text(
                f'#!/bin/sh\nexec {sys.executable} -S -E {FAKE} {folder} {name} "$@"\n'
            )
            program.chmod(0o755)

    @property
    def state(self) -> Any:
        return json.loads(self._state.read_text())

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def environment(self, **variables: str) -> dict[str, str]:
        path = f"{self.bin}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "VERIFY_POLL_SECONDS": "0", **variables}

    def verify(self, **variables: str) -> tuple[int, str]:
        """Exit status and output of a run, without processes."""
        output = io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(output),
            restored_signals(),
        ):
            patch.setattr(shell, "POLL_SECONDS", 0)
            patch.setattr(cleanup, "POLL_SECONDS", 0)
            for name, value in variables.items():
                patch.setenv(name, value)
            status = verify(Direct(STACK, "eu-west-1", folder=self.folder))
        return status, output.getvalue()

    def is_clean(self) -> bool:
        return bool(self.state == {"stack": None, "buckets": EXISTING})


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def test_plan_prints_the_steps_and_calls_nothing(account: Account) -> None:
    done = subprocess.run(
        ["bash", "scripts/verify_aws.sh", "--plan"],
        cwd=ROOT,
        env=account.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == plan().strip()
    assert len(done.stdout.splitlines()) == len(STEPS) + 1
    assert account.calls == []


def test_every_step_passes_and_nothing_is_left(account: Account) -> None:
    done = subprocess.run(
        ["bash", "scripts/verify_aws.sh", "--region", "eu-west-1"],
        cwd=ROOT,
        env=account.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("passed in") == len(STEPS)
    assert "nothing is left" in done.stdout
    assert "6 deployments" in done.stdout
    assert "100 archived pictures" in done.stdout
    assert "about $" in done.stdout
    assert account.is_clean()


def test_a_stack_of_that_name_is_left_alone(account: Account) -> None:
    stack = {"name": STACK, "status": "CREATE_COMPLETE", "version": 1, "deployment": 1}
    existing = {"stack": stack, "buckets": EXISTING}
    (account.folder / "state.json").write_text(json.dumps(existing))
    status, output = account.verify()
    assert status == 1
    assert "exists. Choose another name" in output
    assert account.state == existing


FAULTS = {
    "credentials": "aws sts get-caller-identity#1",
    "bucket for the archive": "aws s3api create-bucket#1",
    "pictures for the archive": "aws s3 cp#1",
    "first deployment": "deploy.sh#1",
    "first picture": "curl#1",
    "unchanged deployment": "deploy.sh#2",
    "origin": "deploy.sh#3",
    "key": "deploy.sh#4",
    "no key": "deploy.sh#5",
    "state after a broken version": "aws cloudformation describe-stacks --stack-name "
    "matchvec-verify --query#3",
    "archive": "bulk.sh start#1",
    "rows": "bulk.sh results#1",
    "upload": "curl --silent --show-error --max-time 60 --header#1",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_in_any_step_ends_with_nothing_left(account: Account, fault: str) -> None:
    status, output = account.verify(FAKE_FAULT=fault)
    assert status == 1, output
    assert "FAILED: " in output
    assert "injected" in output
    assert account.is_clean()


WRONG = {
    "not_created": "the stack is in state ROLLBACK_COMPLETE",
    "no_car": "no car is found",
    "always_changed": "something has changed",
    "stale_stage": "the stage serves the old deployment",
    "open": "the API answers 200 instead of 403",
    "deployed_broken": "a version without models was deployed",
    "not_rolled_back": "the alias has another version",
    "lost_row": "99 of 100 pictures have a row",
    "failed_picture": "4 rows have an error",
    "refused_upload": "S3 answers the upload 403",
    "undecoded_upload": "the picture's shape is",
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.items(), ids=WRONG)
def test_a_deployment_that_does_not_work_is_found(
    account: Account, wrong: str, message: str
) -> None:
    status, output = account.verify(FAKE_WRONG=wrong)
    assert status == 1, output
    assert message in output
    assert account.is_clean()


def test_what_cannot_be_deleted_is_reported(account: Account) -> None:
    status, output = account.verify(FAKE_WRONG="not_destroyed")
    assert status == 1
    assert "LEFT: the stack was not deleted" in output
    assert f"the stack {STACK} is in state" in output
    assert account.state["buckets"] == EXISTING, "the other parts are deleted all the same"


@pytest.mark.parametrize("fault", ["destroy.sh#1", "aws s3 rb#1", "aws lambda list-functions#1"])
def test_the_clean_up_survives_a_fault(account: Account, fault: str) -> None:
    status, output = account.verify(FAKE_FAULT=fault)
    assert status == 0, output
    assert account.is_clean()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_ends_with_nothing_left(account: Account, name: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.verification", "--region", "eu-west-1"],
        cwd=ROOT,
        env=account.environment(FAKE_SECONDS="20"),
        stdout=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not any(call.startswith("deploy.sh") for call in account.calls):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.2)
    process.send_signal(getattr(signal, name))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "Deleting everything ... nothing is left" in output
    assert account.is_clean()


def test_a_fault_in_any_call_ends_with_nothing_left(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    good = Account(tmp_path / "good")
    good.verify()
    for number in range(len(good.calls)):
        folder = tmp_path / str(number)
        folder.mkdir()
        account = Account(folder)
        _, output = account.verify(FAKE_FAULT=str(number))
        assert account.is_clean(), (number, good.calls[number], output)


def test_the_uploaded_picture_is_what_it_says() -> None:
    content = bmp(UPLOAD_WIDTH, UPLOAD_HEIGHT)
    assert len(content) > 20_000_000
    assert Image.open(io.BytesIO(content)).size == (UPLOAD_WIDTH, UPLOAD_HEIGHT)
