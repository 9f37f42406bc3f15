"""Run the commands of a step: the AWS CLI, curl and the project's scripts."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

POLL_SECONDS = float(os.environ.get("VERIFY_POLL_SECONDS", "15"))
BUSY_SECONDS = 3600
"""Seconds to wait for a stack that is changing."""
ROUTE_SECONDS = 60
"""Seconds until a changed stage answers everywhere."""


class StepFailed(Exception):
    """A step found something else than it should. The message says what."""


@dataclass
class Shell:
    """Runs commands for one stack in one region.

    Attributes:
        stack: Name of the stack.
        region: AWS region.
        counts: Number of posted pictures and other billed things, for the report.
    """

    stack: str
    region: str
    counts: dict[str, int] = field(default_factory=dict)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command and return its output.

        Raises:
            StepFailed: It ends with an error, and `check` is true.
        """
        environment = {**os.environ, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if check and done.returncode:
            last = (done.stderr.strip() or done.stdout.strip())[-500:]
            raise StepFailed(f"`{' '.join(command[:3])}` failed: {last}")
        return done

    def aws(self, *arguments: str) -> Any:  # noqa: ANN401  any JSON
        """Run the AWS CLI and return its JSON output; None if it prints nothing.

        Raises:
            StepFailed: The command fails.
        """
        text = self.run("aws", *arguments, "--output", "json").stdout.strip()
        return json.loads(text) if text else None

    def deploy(self, *overrides: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Deploy the last build with some parameters; the first deployment builds."""
        parameters = ["--parameter-overrides", *overrides] if overrides else []
        build = ["--no-build"] if self.counts.get("deployments") else []
        self.count("deployments")
        return self.run("deploy.sh", "--stack", self.stack, *build, *parameters, check=check)

    def stack_status(self) -> str | None:
        """Return the state of the stack; None if there is no stack."""
        done = self.run(
            *("aws", "cloudformation", "describe-stacks", "--stack-name", self.stack),
            *("--query", "Stacks[0].StackStatus", "--output", "text"),
            check=False,
        )
        if done.returncode and "does not exist" not in done.stderr:
            raise StepFailed(f"the state of the stack is unknown: {done.stderr.strip()[-300:]}")
        return None if done.returncode else done.stdout.strip()

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the stack."""
        described = self.aws("cloudformation", "describe-stacks", "--stack-name", self.stack)
        listed = described["Stacks"][0].get("Outputs", [])
        return {each["OutputKey"]: each["OutputValue"] for each in listed}

    def wait_until_idle(self) -> str | None:
        """Wait until nothing changes the stack, and return its state."""
        end = time.monotonic() + BUSY_SECONDS
        while True:
            status = self.stack_status()
            is_busy = status and status.endswith("IN_PROGRESS") and not status.startswith("REVIEW")
            if not is_busy or time.monotonic() > end:
                return status
            time.sleep(POLL_SECONDS)

    def curl(self, *arguments: str) -> str:
        """Send a request and return the body of the answer.

        Raises:
            StepFailed: There is no answer.
        """
        return self.run("curl", "--silent", "--show-error", "--max-time", "60", *arguments).stdout

    def status_of(self, *arguments: str) -> str:
        """Send a request and return the status of the answer."""
        return self.curl("--output", os.devnull, "--write-out", "%{http_code}", *arguments).strip()

    def wait_for_status(self, expected: str, *arguments: str) -> None:
        """Send a request until its answer has the expected status.

        Raises:
            StepFailed: It has another status after a minute.
        """
        end = time.monotonic() + ROUTE_SECONDS
        while (status := self.status_of(*arguments)) != expected:
            if time.monotonic() > end or not POLL_SECONDS:
                raise StepFailed(f"the API answers {status} instead of {expected}.")
            time.sleep(POLL_SECONDS)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count of the report."""
        self.counts[name] = self.counts.get(name, 0) + number


def expect(condition: object, message: str) -> None:
    """Check something that a step should find.

    Raises:
        StepFailed: It is not so.
    """
    if not condition:
        raise StepFailed(message)
