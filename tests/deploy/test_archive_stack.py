"""Resources for archives and arrivals: none without them, and no more than needed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from service.batch.rows import FAILED, RESULTS
from service.batch.settings import BatchSettings
from service.settings import Settings, SettingsError
from tests.api.test_template import Recording
from tests.support.archive import DEFINITION
from tests.support.stack import (
    Decisions,
    Stack,
    Template,
    packaged,
    parameters_of,
    pseudo_parameters,
    stamped,
    texts,
    translate,
)

DEFAULT = Stack()
ARCHIVE = Stack(ArchiveBucket="my-pictures", ArchivePrefix="2024/")
ARRIVALS = Stack(
    ArchiveBucket="my-pictures",
    Arrivals="true",
    BulkConcurrency="7",
    AlarmEmail="ops@example.com",
    ModelUri="s3://models/v1",
    Tracing="Active",
)
CONDITIONS = ("HasArchive", "HasArrivals", "HasArchivePrefix", "CreatesResultsBucket")
PARAMETERS = (
    *("ArchiveBucket", "ArchivePrefix", "Arrivals", "ExistingResultsBucket"),
    *("BulkConcurrency", "BulkToleratedFailurePercentage"),
)
RUN = {
    "BatchErrorsAlarm",
    "BatchRole",
    "BulkFailuresAlarm",
    "BulkRole",
    "BulkStateMachine",
    "MatchvecBatchFunction",
    "ResultsBucket",
    "ResultsBucketPolicy",
}
QUEUE = {
    "ArrivalsAlarm",
    "ArrivalsDeadLetterQueue",
    "ArrivalsDeadLetterQueuePolicy",
    "ArrivalsQueue",
    "ArrivalsQueuePolicy",
    "ArrivalsSource",
}


def resolved(template: Template) -> Template:
    values = parameters_of(template, {}) | pseudo_parameters("matchvec")
    translated = translate(stamped(template, values), values)
    return Decisions(translated, values).template(translated)


def test_without_them_the_stack_is_what_it_would_be_if_they_did_not_exist() -> None:
    without = packaged()
    for section in ("Resources", "Outputs"):
        without[section] = {
            name: each
            for name, each in without[section].items()
            if each.get("Condition") not in CONDITIONS
        }
    for name in PARAMETERS:
        del without["Parameters"][name]
    for name in CONDITIONS:
        del without["Conditions"][name]

    assert resolved(without) == resolved(packaged())


def test_each_makes_what_it_needs() -> None:
    assert set(ARCHIVE.resources) - set(DEFAULT.resources) == RUN
    assert set(ARRIVALS.resources) - set(DEFAULT.resources) == RUN | QUEUE | {"AlarmTopic"}
    assert set(DEFAULT.resources) <= set(ARCHIVE.resources)
    assert "BulkStateMachine" not in Stack(Arrivals="true").resources, "a queue for no bucket"


@pytest.mark.parametrize("stack", [ARCHIVE, ARRIVALS], ids=["archive", "arrivals"])
def test_nothing_refers_to_what_is_not_there(stack: Stack) -> None:
    text = json.dumps([stack.resources, stack.outputs])
    named = set(re.findall(r'"Ref": "([A-Za-z]+)"', text))
    named |= set(re.findall(r'"Fn::GetAtt": \["([A-Za-z]+)"', text))
    named |= set(re.findall(r"\$\{([A-Za-z]+)(?:\.[A-Za-z]+)?\}", text))
    substitutions = stack.one("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]
    assert named - set(substitutions) <= set(stack.resources)


def test_the_function_has_the_package_and_the_variables_of_the_api() -> None:
    api = ARCHIVE.resources["MatchvecFunction"]["Properties"]
    batch = ARCHIVE.resources["MatchvecBatchFunction"]["Properties"]
    for name in ("Code", "Runtime", "Architectures", "MemorySize", "EphemeralStorage"):
        assert batch[name] == api[name], name
    assert batch["Handler"] == "lambda_function.lambda_handler_batch"
    variables = batch["Environment"]["Variables"]
    shared = {
        name: api["Environment"]["Variables"][name]
        for name in variables
        if name in api["Environment"]["Variables"]
    }
    own = {name: value for name, value in variables.items() if name not in shared}
    assert {name: variables[name] for name in shared} == shared
    recording = Recording()
    with pytest.raises(SettingsError):
        BatchSettings.from_environment(recording)
    assert "RESULTS_BUCKET" in recording.names
    assert set(own) == {"RESULTS_BUCKET", "MAX_OBJECT_BYTES", "TOLERATED_FAILURE_PERCENTAGE"}
    given = {**{k: str(v) for k, v in own.items()}, "RESULTS_BUCKET": "rows"}
    assert BatchSettings.from_environment(given) == BatchSettings.from_environment(
        {"RESULTS_BUCKET": "rows"}
    )
    # What a batch does not read, such as the limits of a request, is left out.
    answers = {"detection", "classification", "model", "pixels", "backend", "base"}
    left_out = set(api["Environment"]["Variables"]) - set(shared) - {"BACKEND", "BASE_MODEL_PATH"}
    assert not [name for name in left_out if set(name.lower().split("_")) & answers]
    assert Settings.from_environment({k: str(v) for k, v in shared.items()}) == (
        Settings.from_environment({})
    )


def actions(stack: Stack, role: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for policy in stack.resources[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            listed = statement["Action"]
            for action in [listed] if isinstance(listed, str) else listed:
                found.setdefault(action, []).extend(
                    resource if isinstance(resource := statement["Resource"], list) else [resource]
                )
    return found


def rows(kind: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:aws:s3:::${{ResultsBucket}}/{kind}/*"}


def test_the_function_reads_pictures_and_writes_rows() -> None:
    own = {"Fn::Sub": "arn:aws:s3:::${ResultsBucket}"}
    log = {"Fn::GetAtt": ["FunctionLogGroup", "Arn"]}
    assert actions(ARCHIVE, "BatchRole") == {
        "logs:CreateLogStream": [log],
        "logs:PutLogEvents": [log],
        "s3:GetObject": ["arn:aws:s3:::my-pictures/2024/*", rows(RESULTS), rows(FAILED)],
        "s3:ListBucket": ["arn:aws:s3:::my-pictures", own],
        "s3:PutObject": [rows(RESULTS), rows(FAILED)],
        "s3:DeleteObject": [rows(FAILED)],
    }
    more = set(actions(ARRIVALS, "BatchRole")) - set(actions(ARCHIVE, "BatchRole"))
    assert more == {
        *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    }
    assert "arn:aws:s3:::models/v1/*" in actions(ARRIVALS, "BatchRole")["s3:GetObject"]


def test_the_state_machine_may_run_itself_and_the_function() -> None:
    arn = "arn:aws:states:eu-west-1:123456789012"
    executions = [f"{arn}:execution:matchvec-bulk/*"]
    assert actions(ARCHIVE, "BulkRole") == {
        "lambda:InvokeFunction": [{"Fn::GetAtt": ["MatchvecBatchFunction", "Arn"]}],
        "states:StartExecution": [f"{arn}:stateMachine:matchvec-bulk"],
        "states:DescribeExecution": executions,
        "states:StopExecution": executions,
        "states:RedriveExecution": executions,
        "s3:ListBucket": ["arn:aws:s3:::my-pictures"],
        "s3:GetObject": ["arn:aws:s3:::my-pictures/2024/*", rows("runs")],
        "s3:PutObject": [rows("runs")],
        "s3:AbortMultipartUpload": [rows("runs")],
        "s3:ListMultipartUploadParts": [rows("runs")],
    }
    machine = ARCHIVE.one("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineName"] == "matchvec-bulk"
    assert machine["RoleArn"] == {"Fn::GetAtt": ["BulkRole", "Arn"]}


def listing(stack: Stack) -> dict[str, Any]:
    """The statement by which the state machine lists the archive."""
    [policy, *_] = stack.resources["BulkRole"]["Properties"]["Policies"]
    [found] = [
        each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "s3:ListBucket"
    ]
    return dict(found)


def test_a_whole_bucket_is_listed_without_a_condition_on_the_prefix() -> None:
    """A listing that names no prefix would not meet any."""
    assert "Condition" not in listing(ARRIVALS)
    assert listing(ARCHIVE)["Condition"] == {"StringLike": {"s3:prefix": "2024/*"}}


def test_the_state_machine_works_in_every_partition() -> None:
    given = ARCHIVE.one("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]
    assert given["Partition"] == "aws"
    assert "arn:aws:" not in DEFINITION.read_text()


def test_an_existing_bucket_for_results_is_used_and_left_alone() -> None:
    stack = Stack(ArchiveBucket="my-pictures", ExistingResultsBucket="earlier")
    assert not {name for name in stack.resources if name.startswith("ResultsBucket")}
    batch = stack.resources["MatchvecBatchFunction"]["Properties"]
    assert batch["Environment"]["Variables"]["RESULTS_BUCKET"] == "earlier"
    machine = stack.one("AWS::StepFunctions::StateMachine")
    assert machine["DefinitionSubstitutions"]["ResultsBucket"] == "earlier"
    assert stack.outputs["ResultsBucketName"]["Value"] == "earlier"
    put = actions(stack, "BatchRole")["s3:PutObject"]
    assert put == [f"arn:aws:s3:::earlier/{kind}/*" for kind in (RESULTS, FAILED)]


def test_a_failed_creation_leaves_nothing_behind() -> None:
    kept = {
        name: resource["DeletionPolicy"]
        for name, resource in ARRIVALS.resources.items()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert set(kept.values()) == {"RetainExceptOnCreate"}
    assert {"ResultsBucket", "ApiGatewayAccount", "ApiGatewayAccountRole"} <= set(kept)


def test_failures_raise_alarms() -> None:
    alarms = {
        name: (each["Namespace"], each["MetricName"], each["Dimensions"][0]["Value"])
        for name, each in ARRIVALS.of_type("AWS::CloudWatch::Alarm").items()
        if name in RUN | QUEUE
    }
    dead = {"Fn::GetAtt": ["ArrivalsDeadLetterQueue", "QueueName"]}
    assert alarms == {
        "BatchErrorsAlarm": ("AWS/Lambda", "Errors", {"Ref": "MatchvecBatchFunction"}),
        "BulkFailuresAlarm": ("AWS/States", "ExecutionsFailed", {"Ref": "BulkStateMachine"}),
        "ArrivalsAlarm": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead),
    }


def test_the_definition_is_given_all_that_it_leaves_open() -> None:
    given = ARCHIVE.one("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]
    assert set(given) == set(re.findall(r"\$\{(\w+)\}", DEFINITION.read_text()))
    assert given["MaxConcurrency"] == "50"


def test_rows_are_private_encrypted_and_outlive_the_stack() -> None:
    bucket = ARCHIVE.resources["ResultsBucket"]
    policies = (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"])
    assert policies == ("RetainExceptOnCreate", "Retain")
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    [rule] = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["Prefix"] == "runs/", "rows never expire"
    [statement] = ARCHIVE.one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_s3_alone_may_tell_the_queue_and_only_of_this_bucket() -> None:
    policy = ARRIVALS.resources["ArrivalsQueuePolicy"]["Properties"]
    statement, _ = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "arn:aws:s3:::my-pictures"},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }


@pytest.mark.parametrize("name", ["ArrivalsQueue", "ArrivalsDeadLetterQueue"])
def test_queues_take_encrypted_connections_only(name: str) -> None:
    policy = ARRIVALS.resources[f"{name}Policy"]["Properties"]
    assert policy["Queues"] == [{"Ref": name}]
    denial = policy["PolicyDocument"]["Statement"][-1]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "sqs:*")
    assert denial["Resource"] == {"Fn::GetAtt": [name, "Arn"]}
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_messages_that_fail_are_given_again_and_then_kept() -> None:
    source = ARRIVALS.one("AWS::Lambda::EventSourceMapping")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"] == {"MaximumConcurrency": "7"}
    queue = ARRIVALS.resources["ArrivalsQueue"]["Properties"]
    function = ARRIVALS.resources["MatchvecBatchFunction"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["ArrivalsDeadLetterQueue", "Arn"]},
        "maxReceiveCount": 5,
    }
    alarm = ARRIVALS.resources["ArrivalsAlarm"]["Properties"]
    assert alarm["Dimensions"][0]["Value"] == {
        "Fn::GetAtt": ["ArrivalsDeadLetterQueue", "QueueName"]
    }
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_the_state_machine_waits_longer_for_a_batch_than_the_function_runs() -> None:
    function = ARCHIVE.resources["MatchvecBatchFunction"]["Properties"]
    states = json.loads(DEFINITION.read_text())["States"]
    task = states["Prefix"]["ItemProcessor"]["States"]["PrefixBatch"]
    assert task["TimeoutSeconds"] > function["Timeout"]


LIMITS = (
    "DETECTION_THRESHOLD",
    "DETECTION_IOU_THRESHOLD",
    "DETECTION_SIZE_THRESHOLD",
    "MIN_THRESHOLD",
    "MAX_CLASSIFIED_PER_PICTURE",
    "MAX_CLASSIFIED_PER_REQUEST",
    "MAX_CPU_SECONDS",
    "MAX_PIXELS",
)


def test_a_row_depends_on_the_variables_of_the_api() -> None:
    api, batch = (
        ARCHIVE.resources[name]["Properties"]["Environment"]["Variables"]
        for name in ("MatchvecFunction", "MatchvecBatchFunction")
    )

    assert {name: batch.get(name) for name in LIMITS} == {name: api[name] for name in LIMITS}


def test_outputs_name_what_the_script_needs() -> None:
    assert {"BulkStateMachineArn", "BatchFunctionName", "ResultsBucketName"} <= set(ARCHIVE.outputs)
    assert "ArrivalsQueueArn" in ARRIVALS.outputs
    assert not {name for name in DEFAULT.outputs if "Bulk" in name or "Batch" in name}
    assert list(texts(DEFAULT.outputs))
