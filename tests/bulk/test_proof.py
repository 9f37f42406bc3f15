"""No picture is lost or processed twice, and a second run retries the failures.

tests/support/asl.py runs the state machine's definition over generated keys in a bucket of moto.
Three percent of the objects fail, in every way that exists. `pytest -s` prints the figures.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.routes import Route
from matchvec_client.bulk import lists
from service.batch.rows import FAILED, RESULTS
from tests.support.archive import (
    ARCHIVE,
    RESULTS_BUCKET,
    Archive,
    always,
    first,
    timed_out,
)
from tests.support.asl import Execution
from tests.support.models import fake_classifier, fake_pipeline
from tests.support.pictures import plain

FAULTS = (
    ("SlowDown once", first(1)),
    ("a timeout, twice", timed_out(2)),
    ("SlowDown in every attempt of the first run", first(4)),
    ("InternalError in every attempt of the first run", first(4, "InternalError")),
    ("deleted", always("NoSuchKey")),
    ("overwritten", always("PreconditionFailed")),
    ("no picture", None),
    ("a damaged picture", None),
    ("too large", None),
    ("archived", always("InvalidObjectState")),
)
EVERY = 33
"""One key in this many has a fault: three percent."""


@dataclass(frozen=True)
class Generated:
    """Faults by key; "" for none."""

    keys: dict[str, str]

    def count(self, *faults: str) -> int:
        return sum(fault in faults for fault in self.keys.values())


def generate(archive: Archive, count: int) -> Generated:
    picture, damaged = plain(), plain()[:40]
    contents = {
        "no picture": b"<html>",
        "a damaged picture": damaged,
        "too large": b"x" * 1_000_001,
    }
    keys = {}
    for number in range(count):
        # Realistic names: spaces, plus signs, non-ASCII letters.
        key = f"2024/{number % 97:02}/photo + größe {number:06}.jpg"
        name, fault = FAULTS[number // EVERY % len(FAULTS)] if number % EVERY == 7 else ("", None)
        keys[key] = name
        if fault:
            archive.s3.faults[key] = fault
        archive.put(key, contents.get(name, picture))
    return Generated(keys)


def rows(archive: Archive, kind: str, handler: Any) -> list[dict[str, Any]]:
    model = handler({"Describe": "predict"}, None)["Model"]
    return list(lists.rows(archive.client, RESULTS_BUCKET, kind, model, Route.PREDICT))


def start(execution: Execution, **fields: Any) -> None:
    execution.run({"Bucket": ARCHIVE, "Route": "predict", "ItemsPerBatch": 100, **fields})


def prove(archive: Archive, count: int) -> None:
    generated = generate(archive, count)
    lasting = generated.count(FAULTS[2][0], FAULTS[3][0])
    final = generated.count(*(name for name, _ in FAULTS[4:]))
    handler = archive.handler()

    run = archive.execution(handler)
    start(run, Source="prefix", Prefix="2024/")

    written = rows(archive, RESULTS, handler)
    by_key = Counter(row["key"] for row in written)
    assert len(written) == len(by_key) == count - lasting
    assert max(by_key.values()) == 1
    assert sum(row["error"] is not None for row in written) == final
    failed = rows(archive, FAILED, handler)
    assert {row["key"] for row in failed} == set(generated.keys) - set(by_key)
    assert {row["attempts"] for row in failed} == {4}
    assert run.running <= 50
    reads = Counter(archive.s3.reads)
    good = [key for key, fault in generated.keys.items() if not fault]
    assert {reads[key] for key in good} == {1}, "a retried batch reads only what failed"

    # The second run processes what has no row, as scripts/bulk.sh start does.
    done = lists.answered(written)
    todo = list(lists.missing(lists.below(archive.client, ARCHIVE, "2024/"), done))
    assert len(todo) == lasting
    place = {"Bucket": RESULTS_BUCKET, "Key": "runs/again/manifest.json"}
    archive.client.put_object(**place, Body=lists.as_manifest(todo))
    again = archive.execution(handler, name="again")
    start(again, Source="manifest", List=place)

    second = Counter(archive.s3.reads) - reads
    assert set(second) == {item.key for item in todo}, "the rerun touched only the failures"
    everything = rows(archive, RESULTS, handler)
    assert Counter(row["key"] for row in everything) == Counter(list(generated.keys))
    assert {row["key"]: row["predictions"] for row in everything if not row["error"]} == {
        key: row for key in generated.keys if (row := _expected(generated.keys[key]))
    }
    print(
        f"\n{count:,} keys, {sum(map(bool, generated.keys.values()))} with a fault: "
        f"{len(written):,} rows and {lasting} failures after run 1 "
        f"({run.counts['Children']} batches, {run.counts['Invocations']} calls, "
        f"{run.counts['Retries']} retries, {run.counts['Transitions']} transitions); "
        f"run 2 read {len(second)} keys: {len(everything):,} rows, "
        f"{len(everything) - len({row['key'] for row in everything})} duplicates, "
        f"{count - len(everything)} lost; {final} rows say why there is no answer."
    )


def _expected(fault: str) -> Any:
    if fault in {name for name, _ in FAULTS[4:]}:
        return None
    car = {"x1": 0, "y1": 0, "x2": 4, "y2": 6, "class_name": "car", "confidence": 0.9}
    return [{**car, "label": "clio: 0.75", "pred": ["clio", "208"], "prob": [0.75, 0.25]}]


def test_500_keys(archive: Archive) -> None:
    prove(archive, 500)


@pytest.mark.slow
def test_10_000_keys(archive: Archive) -> None:
    archive.s3.is_direct = True
    prove(archive, 10_000)


def test_the_same_run_again_reads_only_what_failed(archive: Archive) -> None:
    generated = generate(archive, 120)
    handler = archive.handler()
    first_run = archive.execution(handler)
    start(first_run, Source="prefix", Prefix="2024/")
    reads, objects = Counter(archive.s3.reads), _objects(archive)

    start(archive.execution(handler, name="same"), Source="prefix", Prefix="2024/")

    again = archive.s3.reads - reads
    assert {generated.keys[key] for key in again} == {FAULTS[2][0], FAULTS[3][0]}
    assert set(objects) == set(_objects(archive)), "the same batches have the same names"


def test_another_model_processes_everything_again(archive: Archive) -> None:
    generate(archive, 20)
    other = fake_pipeline(None, fake_classifier("other", {"p": {"a": 1.0}}, sha256="f" * 64))
    before, after = archive.handler(), archive.handler(load=lambda: other)
    for handler in (before, after):
        start(archive.execution(handler), Source="prefix", Prefix="")

    assert len(rows(archive, RESULTS, before)) == len(rows(archive, RESULTS, after)) == 20


def test_a_changed_picture_is_processed_again(archive: Archive) -> None:
    generate(archive, 20)
    handler = archive.handler()
    start(archive.execution(handler), Source="prefix", Prefix="")
    key = str(rows(archive, RESULTS, handler)[0]["key"])
    archive.put(key, plain(9))

    done = lists.answered(rows(archive, RESULTS, handler))
    todo = list(lists.missing(lists.below(archive.client, ARCHIVE, ""), done))

    assert [item.key for item in todo] == [key]


def _objects(archive: Archive) -> dict[str, str]:
    listing = archive.client.list_objects_v2(Bucket=RESULTS_BUCKET, Prefix="results/")
    return {each["Key"]: each["ETag"] for each in listing["Contents"]}


def test_the_summaries_of_a_run_are_kept(archive: Archive) -> None:
    generate(archive, 20)
    start(archive.execution(archive.handler(), name="n"), Source="prefix", Prefix="")

    content = archive.client.get_object(Bucket=RESULTS_BUCKET, Key="runs/n/map/SUCCEEDED_0.json")[
        "Body"
    ].read()
    [child] = json.loads(content)
    assert child["Output"]["Pictures"] == 20
    assert child["Output"]["Results"] in _objects(archive)
