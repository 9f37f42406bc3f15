"""The stack of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from matchvec_client.bulk.aws import BulkError, client


@dataclass(frozen=True, slots=True)
class Target:
    """Resources and parameters of a stack.

    Attributes:
        machine: ARN of the state machine.
        function: Name of the batch function.
        archive: Bucket of pictures.
        prefix: Prefix of the pictures; "": all.
        results: Bucket of rows.
        queue: ARN of the arrivals' queue; "": none.
        memory_mb: Memory of the function in MB.
        architecture: ``arm64`` or ``x86_64``.
    """

    machine: str
    function: str
    archive: str
    prefix: str
    results: str
    queue: str
    memory_mb: int
    architecture: str

    def model(self, route: str) -> str:
        """Return the identifier of the deployed models and thresholds.

        Raises:
            BulkError: The function failed.
        """
        answer = client("lambda").invoke(
            FunctionName=self.function, Payload=json.dumps({"Describe": str(route)})
        )
        payload: Any = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise BulkError(f"The batch function failed: {payload.get('errorMessage')}")
        return str(payload["Model"])


def find(stack: str) -> Target:
    """Return the archive of a stack.

    Raises:
        BulkError: The stack does not exist or has no archive.
    """
    found = describe(stack)
    if not found:
        raise BulkError(f"The stack {stack} does not exist. Check --stack and --region.")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    if "BulkStateMachineArn" not in outputs:
        raise BulkError(
            "The stack has no archive. Deploy it with a bucket: scripts/deploy.sh "
            f"--stack {stack} --parameter-overrides ArchiveBucket=NAME"
        )
    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])
    }
    return Target(
        machine=outputs["BulkStateMachineArn"],
        function=outputs["BatchFunctionName"],
        archive=parameters["ArchiveBucket"],
        prefix=parameters.get("ArchivePrefix", ""),
        results=outputs["ResultsBucketName"],
        queue=outputs.get("ArrivalsQueueArn", ""),
        memory_mb=int(parameters["MemorySize"]),
        architecture=parameters["Architecture"],
    )


def describe(stack: str) -> dict[str, Any] | None:
    """Return CloudFormation's description of the stack; None: it does not exist."""
    try:
        stacks = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    found: dict[str, Any] = stacks[0]
    return found
