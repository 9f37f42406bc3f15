"""Delete everything that the verification created, and check that nothing is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from scripts.verification.shell import POLL_SECONDS, Shell, StepFailed

ATTEMPTS = 3
"""Attempts at each part of the clean-up."""


def clean_up(shell: Shell) -> list[str]:
    """Delete the stack and its buckets; return what could not be deleted.

    Every part is tried, whatever happens to the others.
    """
    problems: list[str] = []
    for part in (_delete_stack, _delete_buckets):
        _attempt(problems, part, shell)
    _attempt(problems, lambda each: problems.extend(leftovers(each)), shell)
    return problems


def leftovers(shell: Shell) -> list[str]:
    """Return what is left of the stack in the account."""
    found = []
    status = shell.stack_status()
    if status is not None:
        found.append(f"the stack {shell.stack} is in state {status}")
    listed = {
        "function": (
            *("lambda", "list-functions"),
            *("--query", f"Functions[?contains(FunctionName, '{shell.stack}')].FunctionName"),
        ),
        "log group": (
            *(
                "logs",
                "describe-log-groups",
                "--log-group-name-prefix",
                f"/matchvec/{shell.stack}/",
            ),
            *("--query", "logGroups[].logGroupName"),
        ),
        "bucket": _list_buckets(shell),
    }
    for kind, arguments in listed.items():
        found += [f"{kind} {name}" for name in shell.aws(*arguments) or []]
    return found


def _delete_stack(shell: Shell) -> None:
    if shell.wait_until_idle() is None:
        return
    done = shell.run("destroy.sh", "--stack", shell.stack, "--yes", check=False)
    if shell.wait_until_idle() is None:
        return
    # The script could not: CloudFormation itself may.
    shell.run("aws", "cloudformation", "delete-stack", "--stack-name", shell.stack)
    shell.run("aws", "cloudformation", "wait", "stack-delete-complete", "--stack-name", shell.stack)
    status = shell.stack_status()
    if status is not None:
        raise StepFailed(f"the stack was not deleted: {done.stderr.strip()[-300:]}")


def _delete_buckets(shell: Shell) -> None:
    problems: list[str] = []
    for bucket in shell.aws(*_list_buckets(shell)) or []:
        _attempt(problems, partial(_delete_bucket, bucket), shell)
    if problems:
        raise StepFailed(" ".join(problems))


def _delete_bucket(name: str, shell: Shell) -> None:
    shell.run("aws", "s3", "rb", f"s3://{name}", "--force")


def _list_buckets(shell: Shell) -> tuple[str, ...]:
    query = f"Buckets[?starts_with(Name, '{shell.stack}-')].Name"
    return ("s3api", "list-buckets", "--query", query)


def _attempt(problems: list[str], part: Callable[[Shell], object], shell: Shell) -> None:
    """Run a part of the clean-up, again if it fails; add its last error to the problems."""
    for number in range(1, ATTEMPTS + 1):
        try:
            part(shell)
        except Exception as error:
            if number == ATTEMPTS:
                problems.append(str(error) or repr(error))
            else:
                time.sleep(POLL_SECONDS)
        else:
            return
