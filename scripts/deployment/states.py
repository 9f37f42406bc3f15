"""Decide by the state of a stack whether a script can work on it, and say what to do if not."""

from __future__ import annotations

from scripts.deployment.aws import DeploymentError, describe, region

BUSY = "IN_PROGRESS"
ADVICE = {
    "ROLLBACK_COMPLETE": "Its creation failed. Run {destroy}, then {deploy}.",
    "ROLLBACK_FAILED": "Its creation failed, and so did the clean-up. Run {destroy}.",
    "CREATE_FAILED": "Its creation failed. Run {destroy}, then {deploy}.",
    "DELETE_FAILED": "Its deletion failed. Run {events} for the reason, then {destroy}.",
    "UPDATE_FAILED": "Run `aws cloudformation rollback-stack {where}`, then {deploy}.",
    "UPDATE_ROLLBACK_FAILED": (
        "Run {events} for the reason, fix it, then run "
        "`aws cloudformation continue-update-rollback {where}`."
    ),
}
"""State of a stack -> what to do, for states in which `deploy.sh` or `destroy.sh` cannot work."""

DEPLOYABLE = {
    *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
    *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
    # SAM CLI creates a stack in this state, as if it did not exist.
    "REVIEW_IN_PROGRESS",
}
DELETABLE = DEPLOYABLE | {
    *("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"),
    *("DELETE_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"),
}
OURS = "Matchvec"
"""Start of the template's description, which a stack has in every state."""


def check_deployable(stack: str) -> None:
    """Check that `deploy.sh` can create or update the stack.

    Raises:
        DeploymentError: It cannot. The message says what to run.
    """
    found = describe(stack)
    if found and found["StackStatus"] not in DEPLOYABLE:
        raise DeploymentError(_advice(stack, found["StackStatus"]))


def check_deletable(stack: str) -> None:
    """Check that `destroy.sh` can delete the stack, with or without outputs.

    Raises:
        DeploymentError: It cannot, there is no such stack, or it is not Matchvec's.
    """
    found = describe(stack)
    if not found:
        raise DeploymentError(
            f"there is no stack {stack} in {region()}. Check --stack and --region."
        )
    outputs = {each["OutputKey"] for each in found.get("Outputs", [])}
    # A stack whose creation failed has no outputs. One under review may have no description.
    is_ours = "PredictUrl" in outputs or str(found.get("Description", "")).startswith(OURS)
    if not is_ours and found["StackStatus"] != "REVIEW_IN_PROGRESS":
        raise DeploymentError(
            f"the stack {stack} is not Matchvec's: its description does not start with {OURS}."
        )
    if found["StackStatus"] not in DELETABLE:
        raise DeploymentError(_advice(stack, found["StackStatus"]))


def _advice(stack: str, status: str) -> str:
    where = f"--stack-name {stack} --region {region()}"
    script = f"--stack {stack} --region {region()}"
    default = (
        "Wait until it has finished, then try again."
        if status.endswith(BUSY)
        else "See its events in the CloudFormation console."
    )
    advice = ADVICE.get(status, default).format(
        where=where,
        destroy=f"`scripts/destroy.sh {script}`",
        deploy=f"`scripts/deploy.sh {script}`",
        events=f"`aws cloudformation describe-stack-events {where}`",
    )
    return f"the stack {stack} is in state {status}. {advice}"
