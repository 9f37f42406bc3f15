"""Runs over an archive: start and status."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from matchvec_client.bulk import lists
from matchvec_client.bulk.aws import BulkError, client
from matchvec_client.bulk.costs import in_dollars, planned, spent
from matchvec_client.bulk.rows import RESULTS, Item, folder
from matchvec_client.bulk.target import Target

FOLLOW_SECONDS = 15.0
LINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Source:
    """The pictures of a run.

    Attributes:
        kind: ``prefix``, ``inventory`` or ``manifest``, the state machine's names.
        place: The prefix, the address of the inventory's ``manifest.json``, or the list.
        route: Route of the API.
        batch: Pictures per batch.
    """

    kind: str
    place: str
    route: str
    batch: int


def start(target: Target, source: Source, *, dry_run: bool = False) -> str:
    """Start a run over the pictures without a row and return a message.

    Step Functions lists the pictures of the first run over a prefix or an inventory. Later runs get
    a list of the pictures without a row: new, changed and failed ones.

    Raises:
        BulkError: A run is in progress, or the stack may not read the pictures.
    """
    if source.kind == "prefix" and not source.place.startswith(target.prefix):
        raise BulkError(
            f"The stack may read only below {target.prefix!r} (ArchivePrefix), "
            f"not below {source.place!r}."
        )
    states = client("stepfunctions")
    running = states.list_executions(
        stateMachineArn=target.machine, statusFilter="RUNNING", maxResults=1
    )["executions"]
    if running:
        raise BulkError(
            f"The run {running[0]['name']} is in progress. Wait until it ends: two runs would "
            "answer the same pictures."
        )
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    fields = {"Bucket": target.archive, "Route": str(source.route), "ItemsPerBatch": source.batch}
    model = target.model(source.route)
    s3 = client("s3")
    found = s3.list_objects_v2(
        Bucket=target.results, Prefix=folder(RESULTS, model, source.route), MaxKeys=1
    )
    if source.kind != "manifest" and not found["KeyCount"]:
        fields |= {"Source": source.kind, **_whole(source)}
        summary = f"All pictures of {source.kind} {source.place!r}, because no rows exist yet"
    else:
        done = lists.answered(lists.rows(s3, target.results, RESULTS, model, source.route))
        items = list(_items(s3, target, source))
        todo = list(lists.missing(items, done))
        summary = f"{len(items):,} pictures, {len(todo):,} without a row, about " + in_dollars(
            planned(len(todo), source.batch)
        )
        if not todo:
            return f"{summary}. Nothing to do."
        place = {"Bucket": target.results, "Key": f"runs/{name}/manifest.json"}
        if not dry_run:
            s3.put_object(**place, Body=lists.as_manifest(todo))
        fields |= {"Source": "manifest", "List": place}
    if dry_run:
        return f"{summary}. Nothing was started."
    states.start_execution(stateMachineArn=target.machine, name=name, input=json.dumps(fields))
    return f"{summary}. Run {name} has started; `matchvec bulk status` shows its progress."


@dataclass(frozen=True, slots=True)
class State:
    """The progress of a run.

    Attributes:
        name: Name of the run.
        status: Status in Step Functions, such as `RUNNING` or `SUCCEEDED`.
        lines: Text: start, progress, cost so far, and the reason for a failure.
    """

    name: str
    status: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines in one string."""
        return "\n".join(self.lines)


def status(target: Target, name: str | None) -> State:
    """Return the progress and the cost of a run.

    Args:
        target: The stack.
        name: Name of the run; None: the last one.

    Raises:
        BulkError: The run does not exist.
    """
    states = client("stepfunctions")
    if name is None:
        latest = states.list_executions(stateMachineArn=target.machine, maxResults=1)["executions"]
        if not latest:
            raise BulkError("No run exists yet. Start one with `matchvec bulk start`.")
        name = str(latest[0]["name"])
    arn = f"{target.machine.replace(':stateMachine:', ':execution:')}:{name}"
    run = states.describe_execution(executionArn=arn)
    lines = [f"Run {name}: {run['status']}, begun {run['startDate']:%Y-%m-%d %H:%M:%S %Z}"]
    end = run.get("stopDate") or datetime.now(UTC)
    for each in states.list_map_runs(executionArn=arn)["mapRuns"]:
        counts = states.describe_map_run(mapRunArn=each["mapRunArn"])
        items, batches = counts["itemCounts"], counts["executionCounts"]
        lines += progress(items, batches, (end - run["startDate"]).total_seconds())
        busy_ms = _busy_ms(target, run["startDate"], end)
        cost = spent(items, batches, busy_ms, target.memory_mb, target.architecture)
        lines.append(f"Cost so far, about {in_dollars(cost)}")
    if run["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
        lines.append(f"{run.get('error', 'It was stopped')}: {run.get('cause', '')[:300]}")
    return State(name, str(run["status"]), tuple(lines))


def follow(target: Target, name: str | None, file: TextIO | None) -> State:
    """Wait until a run ends, and show its progress.

    Args:
        target: The stack.
        name: Name of the run; None: the last one.
        file: Output stream; a terminal gets one line that changes. None: no output.

    Raises:
        BulkError: The run does not exist.
    """
    is_terminal = file is not None and file.isatty()
    while (state := status(target, name)).status == "RUNNING":
        name = state.name
        if file:
            # The counts of batches are shown only at the end.
            text = "  ".join((*state.lines[1:2], *state.lines[3:4])) or state.lines[0]
            file.write(f"\r\033[K{text}" if is_terminal else f"{text}\n")
            file.flush()
        time.sleep(FOLLOW_SECONDS if is_terminal else LINE_SECONDS)
    if file and is_terminal:
        file.write("\r\033[K")
    return state


def progress(items: dict[str, int], batches: dict[str, int], seconds: float) -> list[str]:
    """Format the counts of Step Functions."""
    total, ended = items["total"], items["succeeded"] + items["failed"]
    rate = ended / seconds if seconds > 0 else 0.0
    left = f"{(total - ended) / rate / 60:,.0f} min left" if rate and ended < total else ""
    share = 100 * ended / total if total else 0.0
    return [
        f"{ended:,} of {total:,} pictures ({share:.1f} %), {rate:,.0f} per second {left}".rstrip(),
        f"Batches: {batches['succeeded']:,} done, {batches['running']:,} running, "
        f"{batches['pending']:,} waiting, {batches['failed']:,} failed "
        f"with {items['failed']:,} pictures",
    ]


def _whole(source: Source) -> dict[str, Any]:
    if source.kind == "prefix":
        return {"Prefix": source.place}
    bucket, key = lists.parse_uri(source.place)
    return {"List": {"Bucket": bucket, "Key": key}}


def _items(s3: Any, target: Target, source: Source) -> Iterator[Item]:  # noqa: ANN401  boto3's
    if source.kind == "prefix":
        return lists.below(s3, target.archive, source.place)
    if source.kind == "inventory":
        return lists.in_inventory(s3, lists.parse_uri(source.place))
    return lists.in_manifest(s3, source.place, target.archive)


def _busy_ms(target: Target, begin: datetime, end: datetime) -> float:
    """Return the function's run time in milliseconds; CloudWatch is some minutes late."""
    minutes = max(1, int((end - begin).total_seconds() // 60) + 2)
    # At most 1,440 points per request; a period is a multiple of 60 seconds.
    period = 60 * (minutes // 1440 + 1)
    points = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=[{"Name": "FunctionName", "Value": target.function}],
        StartTime=begin,
        EndTime=end,
        Period=period,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def check_name(name: str) -> str:
    """Check the name of a run and return it.

    Raises:
        BulkError: The name is invalid.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
        raise BulkError(f"{name!r} is not a run's name. Use 1 to 80 letters, digits, - or _.")
    return name
