"""One run over an archive: planned, started, watched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.routes import Route
from scripts import prices
from scripts.bulk import archive
from scripts.bulk.target import Target
from scripts.cost import DOLLARS_PER_GB_SECOND
from scripts.deployment.aws import DeploymentError, client
from service.items import Item
from service.rows import RESULTS, folder


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be answered.

    Attributes:
        kind: ``prefix``, ``inventory`` or ``manifest``, as the state machine knows them.
        place: The prefix, the inventory's ``s3://.../manifest.json``, or the list.
        route: Which of the API's answers is wanted.
        batch: Pictures per batch.
    """

    kind: str
    place: str
    route: Route
    batch: int


def start(target: Target, source: Source, *, dry_run: bool = False) -> str:
    """Start a run over what is missing; what to say of it.

    The first run over a prefix or an inventory has Step Functions list it. Later ones are given a
    list of what has no row yet: new pictures, changed ones, and those that failed.

    Raises:
        DeploymentError: A run is under way, or the pictures are not where the stack may read.
    """
    if source.kind == "prefix" and not source.place.startswith(target.prefix):
        raise DeploymentError(
            f"the stack may read below {target.prefix!r} only (ArchivePrefix), "
            f"not below {source.place!r}."
        )
    states = client("stepfunctions")
    running = states.list_executions(
        stateMachineArn=target.machine, statusFilter="RUNNING", maxResults=1
    )["executions"]
    if running:
        raise DeploymentError(
            f"the run {running[0]['name']} is under way: two would answer the same pictures twice."
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
        told = f"Everything of {source.kind} {source.place!r}: there are no rows yet."
    else:
        done = archive.answered(archive.rows(s3, target.results, RESULTS, model, source.route))
        items = list(_items(s3, target, source))
        todo = list(archive.missing(items, done))
        told = f"{len(items):,} pictures, {len(todo):,} without a row, about " + dollars(
            sum(prices.bulk_dollars(len(todo), batch=source.batch).values())
        )
        if not todo:
            return f"{told}. Nothing to do."
        place = {"Bucket": target.results, "Key": f"runs/{name}/manifest.json"}
        if not dry_run:
            s3.put_object(**place, Body=archive.as_manifest(todo))
        fields |= {"Source": "manifest", "List": place}
    if dry_run:
        return f"{told}. Nothing was started."
    states.start_execution(stateMachineArn=target.machine, name=name, input=json.dumps(fields))
    return f"{told}. Run {name} is under way; scripts/bulk.sh status tells how far it is."


def status(target: Target, name: str | None) -> str:
    """How far a run is, and what it cost so far.

    Raises:
        DeploymentError: There is no such run.
    """
    states = client("stepfunctions")
    if name is None:
        latest = states.list_executions(stateMachineArn=target.machine, maxResults=1)["executions"]
        if not latest:
            raise DeploymentError("there was no run yet: scripts/bulk.sh start.")
        name = str(latest[0]["name"])
    arn = f"{target.machine.replace(':stateMachine:', ':execution:')}:{name}"
    run = states.describe_execution(executionArn=arn)
    lines = [f"Run {name}: {run['status']}, begun {run['startDate']:%Y-%m-%d %H:%M:%S %Z}"]
    end = run.get("stopDate") or datetime.now(UTC)
    for each in states.list_map_runs(executionArn=arn)["mapRuns"]:
        counts = states.describe_map_run(mapRunArn=each["mapRunArn"])
        lines += progress(
            counts["itemCounts"],
            counts["executionCounts"],
            (end - run["startDate"]).total_seconds(),
        )
        busy_ms = _busy_ms(target, run["startDate"], end)
        lines.append(
            "Cost so far, about "
            + dollars(spent(target, counts["itemCounts"], counts["executionCounts"], busy_ms))
        )
    if run["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
        lines.append(f"{run.get('error', 'It was stopped')}: {run.get('cause', '')[:300]}")
    return "\n".join(lines)


def progress(items: dict[str, int], batches: dict[str, int], seconds: float) -> list[str]:
    """Counts of Step Functions as lines for people."""
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


def spent(target: Target, items: dict[str, int], batches: dict[str, int], busy_ms: float) -> float:
    """Dollars of a run: its batches' transitions and requests, and the function's time.

    Retries are in the function's time; of their transitions nothing is known here.
    """
    begun = batches["total"] - batches["pending"]
    ended = items["total"] - items["pending"]
    gb_seconds = target.memory_mb / 1024 * busy_ms / 1000
    return (
        prices.per_million("Step Functions transition", begun * prices.TRANSITIONS_PER_BATCH)
        + prices.per_million("Lambda request", begun)
        + prices.per_million("S3 GET", ended + begun)
        + prices.per_million("S3 PUT or LIST", begun + items["total"] / prices.KEYS_PER_LIST)
        + gb_seconds * DOLLARS_PER_GB_SECOND[target.architecture]
    )


def dollars(amount: float) -> str:
    """An amount to the cent."""
    return f"${amount:,.2f}"


def _whole(source: Source) -> dict[str, Any]:
    if source.kind == "prefix":
        return {"Prefix": source.place}
    bucket, key = archive.parse_uri(source.place)
    return {"List": {"Bucket": bucket, "Key": key}}


def _items(s3: Any, target: Target, source: Source) -> Iterator[Item]:  # noqa: ANN401  boto3's
    if source.kind == "prefix":
        return archive.below(s3, target.archive, source.place)
    if source.kind == "inventory":
        return archive.in_inventory(s3, archive.parse_uri(source.place))
    return archive.in_manifest(s3, source.place, target.archive)


def _busy_ms(target: Target, begin: datetime, end: datetime) -> float:
    """The function's time in milliseconds; CloudWatch knows it some minutes later."""
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
    """A run's name.

    Raises:
        DeploymentError: It can't be one.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
        raise DeploymentError(f"{name!r} can't be a run's name.")
    return name
