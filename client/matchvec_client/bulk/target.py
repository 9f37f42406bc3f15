"""The stack that a run belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from matchvec_client.bulk.aws import BulkError, client


@dataclass(frozen=True, slots=True)
class Target:
    """What a stack tells of itself.

    Attributes:
        machine: ARN of the state machine.
        function: Name of the batch function.
        archive: The bucket of pictures.
        prefix: Where its pictures begin, "" for all.
        results: The bucket of rows.
        queue: ARN of the arrivals' queue, "" for none.
        memory_mb: The function's.
        architecture: The function's.
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
        """What the deployed function's answers depend on: its models and thresholds.

        Raises:
            BulkError: The function could not say.
        """
        answer = client("lambda").invoke(
            FunctionName=self.function, Payload=json.dumps({"Describe": str(route)})
        )
        payload: Any = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise BulkError(f"the batch function failed: {payload.get('errorMessage')}")
        return str(payload["Model"])


def find(stack: str) -> Target:
    """A stack's archive.

    Raises:
        BulkError: There is no such stack, or it has none.
    """
    found = describe(stack)
    if not found:
        raise BulkError(f"there is no stack {stack}; see --stack and --region.")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    if "BulkStateMachineArn" not in outputs:
        raise BulkError(
            "the stack has no archive. Deploy it with the name of a bucket: scripts/deploy.sh "
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
    """The stack as CloudFormation tells of it; None if there is none."""
    try:
        stacks = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    found: dict[str, Any] = stacks[0]
    return found
