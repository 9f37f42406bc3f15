"""Checks of template and workflows by cfn-lint, checkov, zizmor and other tools."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = {
    "actions/checkout": "11bd71901bbe5b1630ceea73d27597364c9af683",
    "actions/setup-python": "a26af69be951a213d495a4c3e4e4022e16d87065",
    "actions/upload-artifact": "ea165f8d65b6e75b540449e92b4886f43607fa02",
    "aws-actions/configure-aws-credentials": "b47578312673ae6fa5b5096b330d9fbac3d116df",
}
"""The commits of v4.2.2, v5.6.0, v4.6.2 and v4.2.1."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False
    )


def load(path: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506  texts only; `on` is no boolean
    return workflow


@pytest.mark.slow
def test_checkov_finds_nothing_without_a_reason() -> None:
    if not os.access(CHECKOV, os.X_OK):
        pytest.skip("checkov is not installed: make .venv-checkov/.checkov-installed")
    done = run(CHECKOV, "--config-file", ".checkov.yaml", "--file", "template.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_exception_for_checkov_has_its_reason() -> None:
    lines = (ROOT / ".checkov.yaml").read_text().splitlines()
    exceptions = [line for line in lines if "CKV" in line]
    assert len(exceptions) == 13
    assert [line for line in exceptions if not re.search(r"CKV_AWS_\d+  # \w.{20,}", line)] == []


def test_workflows_match_githubs_schema() -> None:
    schema = ("--builtin-schema", "vendor.github-workflows")
    done = run(BIN / "check-jsonschema", *schema, *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_no_weakness_in_the_workflows() -> None:
    done = run(BIN / "zizmor", "--offline", "--persona=auditor", *WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_would_find_one(tmp_path: Path) -> None:
    weak = tmp_path / "weak.yml"
    weak.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: echo ${{ github.head_ref }}\n"
    )
    assert run(BIN / "zizmor", "--offline", weak).returncode != 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)@(\S+)", path.read_text())
    assert used
    assert {(name, commit) for name, commit in used} <= set(ACTIONS.items())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_do_as_little_as_they_can(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert "group" in workflow["concurrency"]
    for job in workflow["jobs"].values():
        # The website is pushed to a branch, and a release is created.
        writes = {("docs.yml", "Publish the website"), ("release.yml", "Draft of the release")}
        allowed = {"contents": "write" if (path.name, job["name"]) in writes else "read"}
        if "environment" in job:
            allowed["id-token"] = "write"
        if (path.name, job["name"]) == ("deploy.yml", "Deploy to ${{ inputs.environment }}"):
            allowed["actions"] = "read"  # It downloads the build.
        assert job["permissions"] == allowed
        assert int(job["timeout-minutes"]) <= 60


def test_deployments_have_no_long_lived_keys_and_wait_for_each_other() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    assert "secrets." not in text
    workflow = load(ROOT / ".github" / "workflows" / "deploy.yml")
    assert workflow["concurrency"]["cancel-in-progress"] == "false"
    assert list(workflow["on"]) == ["workflow_dispatch"]
    assert workflow["jobs"]["deploy"]["environment"] == "${{ inputs.environment }}"


def test_tests_and_builds_have_no_access_to_aws() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]
    commands = {
        name: "\n".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()
    }
    assert {name for name in jobs if "id-token" in jobs[name]["permissions"]} == {"deploy"}
    assert "make test" in commands["build"]
    assert "make" not in commands["deploy"]
    assert "--no-build" in commands["deploy"]
    assert jobs["deploy"]["needs"] == "build"


def test_ci_asks_for_known_vulnerabilities_every_week() -> None:
    workflow = load(ROOT / ".github" / "workflows" / "ci.yml")
    assert [set(entry) for entry in workflow["on"]["schedule"]] == [{"cron"}]
    audit = workflow["jobs"]["audit"]
    assert "if" not in audit
    pinned = audit["strategy"]["matrix"]["requirements"]
    assert pinned == ["requirements.txt", "constraints.txt"]
    assert all((ROOT / name).is_file() for name in pinned)
    commands = [step["run"] for step in audit["steps"] if "run" in step]
    assert re.fullmatch(r"python -m pip install pip-audit==[\d.]+", commands[0])
    assert commands[1].startswith("pip-audit --strict ")
    assert commands[1].endswith('--requirement "$REQUIREMENTS"')


def test_ci_covers_all_pythons_and_both_processors() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert jobs["package"]["strategy"]["matrix"]["architecture"] == ["arm64", "x86_64"]
    commands = {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    targets = {
        word for command in commands if command.startswith("make") for word in command.split()[1:]
    }
    makefile = (ROOT / "Makefile").read_text()
    for target in targets - {"PYTHON=python"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
