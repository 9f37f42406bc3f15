"""Test a real deployment, and delete it again: see scripts/verify_aws.sh."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping

from scripts.cost import LAMBDA_DOLLARS, dollars_per_million
from scripts.verification.cleanup import clean_up
from scripts.verification.shell import Shell
from scripts.verification.steps import STEPS

CORE_MS = 44.0
"""Time of one picture on a core (docs/deploy.md)."""
MONTHLY_DOLLARS = 12 * 0.10 + 3.00
"""CloudWatch: alarms and a dashboard, billed by the hour."""
HOURS_PER_MONTH = 730


def main(arguments: list[str] | None = None) -> int:
    """Run all steps and the clean-up; return the exit status."""
    parser = argparse.ArgumentParser(description="Test a real deployment in your AWS account.")
    parser.add_argument("--region", default=os.environ.get("AWS_REGION"))
    parser.add_argument("--profile")
    parser.add_argument("--stack", default="matchvec-verify")
    parser.add_argument("--plan", action="store_true", help="print the steps only")
    options = parser.parse_args(arguments)
    if options.plan:
        print(plan())
        return 0
    if not options.region:
        parser.error("no region is set. Pass --region, such as --region eu-west-1.")
    if options.profile:
        os.environ["AWS_PROFILE"] = options.profile
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    return verify(Shell(options.stack, options.region))


def plan() -> str:
    """Return the list of steps."""
    titles = [*(step.title for step in STEPS), "Delete everything and check that nothing is left"]
    return "\n".join(f"{number:2}. {title}" for number, title in enumerate(titles, 1))


def verify(shell: Shell) -> int:
    """Run the steps until one fails, then clean up; return the exit status."""
    start = time.monotonic()
    failure = ""
    is_ours = False
    try:
        for number, step in enumerate(STEPS, 1):
            began = time.monotonic()
            print(f"{number:2}. {step.title} ... ", end="", flush=True)
            step.run(shell)
            is_ours = True  # The first step: the name was free.
            print(f"passed in {time.monotonic() - began:.0f} s", flush=True)
    except BaseException as error:  # Ctrl-C and SIGTERM, too: the stack must not stay.
        failure = str(error) or type(error).__name__
        print(f"FAILED: {failure}", flush=True)
    problems: list[str] = []
    if is_ours:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        print("Deleting everything ... ", end="", flush=True)
        problems = clean_up(shell)
        print("nothing is left" if not problems else f"LEFT: {'; '.join(problems)}", flush=True)
    print(report(shell.counts, time.monotonic() - start))
    return 1 if failure or problems else 0


def report(counts: Mapping[str, int], seconds: float) -> str:
    """Return the report's last lines: time and estimated cost."""
    pictures = counts.get("pictures", 0)
    archived = counts.get("archived", 0)
    per_picture = dollars_per_million(CORE_MS, 2048, "arm64") / 1e6
    archive = archived * (per_picture - LAMBDA_DOLLARS / 1e6)
    watching = MONTHLY_DOLLARS / HOURS_PER_MONTH * seconds / 3600
    dollars = pictures * per_picture + archive + watching
    return (
        f"{counts.get('deployments', 0)} deployments, {pictures} posted and {archived} archived "
        f"pictures in {seconds / 60:.0f} minutes, about ${dollars:.2f} at list prices."
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
