"""`matchvec bulk`: a run from start to results, and interrupted downloads."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from gateway.routes import Route
from matchvec_client import cli
from matchvec_client.bulk import cli as bulk
from matchvec_client.bulk import lists, results, rows, runs, target
from matchvec_client.bulk.aws import BulkError
from matchvec_client.bulk.costs import planned
from matchvec_client.bulk.results import Output
from matchvec_client.bulk.target import Target
from scripts import prices
from service.batch import items
from service.batch import rows as written
from service.batch.items import ARCHIVE_ROUTES
from tests.support.archive import ARCHIVE, RESULTS_BUCKET, Archive, session
from tests.support.pictures import plain

ROOT = Path(__file__).parents[2]
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:matchvec-bulk"
TARGET = Target(MACHINE, "batch", ARCHIVE, "2024/", RESULTS_BUCKET, "", 2048, "arm64")
BEGIN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class States:
    """Stub of Step Functions; the interpreter completes each run when it is started.

    Attributes:
        polls: Number of times that the next run is reported as running.
    """

    def __init__(self, archive: Archive, polls: int) -> None:
        self._archive = archive
        self._runs: list[dict[str, Any]] = []
        self._counts: dict[str, int] = {}
        self.polls = polls

    def start_execution(self, name: str, input: str, **_: Any) -> None:
        run = self._archive.execution(self._archive.handler(), name=name)
        run.run(json.loads(input))
        self._counts = {"batches": run.counts["Children"], "items": len(self._archive.s3.reads)}
        self._runs.insert(0, {"name": name, "startDate": BEGIN, "status": "RUNNING"})

    def list_executions(self, **options: Any) -> Any:
        wanted = options.get("statusFilter")
        return {"executions": [each for each in self._runs if wanted in (None, each["status"])]}

    def describe_execution(self, executionArn: str) -> Any:
        name = self._runs[0]["name"]
        assert executionArn == MACHINE.replace("stateMachine", "execution") + f":{name}"
        self.polls -= 1
        if self.polls < 0:
            end = BEGIN + timedelta(seconds=10)
            self._runs[0] |= {"status": "SUCCEEDED", "stopDate": end}
        return self._runs[0]

    def list_map_runs(self, **_: Any) -> Any:
        return {"mapRuns": [{"mapRunArn": "map"}]}

    def describe_map_run(self, **_: Any) -> Any:
        rest = {"failed": 0, "pending": 0, "running": 0}
        counts = {
            name: {"total": count, "succeeded": count, **rest}
            for name, count in self._counts.items()
        }
        return {"itemCounts": counts["items"], "executionCounts": counts["batches"]}


@pytest.fixture
def states(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> States:
    made = States(archive, polls=2)
    clients = {
        "s3": archive.s3,
        "stepfunctions": made,
        "cloudwatch": session().client("cloudwatch"),
    }
    for module in (runs, results):
        monkeypatch.setattr(module, "client", clients.__getitem__)
    model = archive.handler()({"Describe": "predict"}, None)["Model"]
    monkeypatch.setattr(Target, "model", lambda *_: model)
    monkeypatch.setattr(bulk, "find", lambda _: TARGET)
    monkeypatch.setattr(runs, "LINE_SECONDS", 0)
    return made


def test_from_start_to_a_file(
    archive: Archive, states: States, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(7):
        archive.put(f"2024/{number}.png", plain(width=10 + number))
    archive.put("2024/9.jpg", b"<html>")
    assert cli.main(["bulk", "start", "--prefix", "2024/", "--batch", "3"]) == 0
    assert re.search(r"Run \d{8}T\d{6} ", capsys.readouterr().out)

    assert cli.main(["bulk", "status", "--follow"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("8 of 8 pictures (100.0 %)") == 2
    assert shown.err.count("Cost so far, about $0.00") == 2
    assert ": SUCCEEDED, begun 2026-11-22 12:00:00 UTC\n8 of 8 pictures" in shown.out

    output = tmp_path / "out" / "rows.csv"
    assert cli.main(["bulk", "results", "--output", str(output), "--quiet"]) == 0
    assert "8 rows in s3://rows/results/model=" in capsys.readouterr().out
    with output.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert {each["picture"]: each["label"] or each["error"] for each in found} == {
        **{f"s3://pictures/2024/{number}.png": "clio: 0.75" for number in range(7)},
        "s3://pictures/2024/9.jpg": "not_an_image",
    }
    assert sorted(each["width"] for each in found)[1:] == [str(10 + each) for each in range(7)]

    again = ["bulk", "results", "--output", str(output)]
    assert cli.main(again) == 2
    assert "--resume" in capsys.readouterr().err
    content = output.read_bytes()
    for option in ("--resume", "--overwrite"):
        assert cli.main([*again, option]) == 0
        assert output.read_bytes() == content


def answer(archive: Archive, *names: str) -> None:
    """Each picture in a batch of its own."""
    for name in names:
        archive.put(f"2024/{name}.png", plain())
    fields = {"Bucket": ARCHIVE, "Route": "predict", "ItemsPerBatch": 1, "Source": "prefix"}
    archive.execution(archive.handler()).run({**fields, "Prefix": "2024/"})


class Breaking:
    """A client that answers some requests for rows, and none after."""

    def __init__(self, client: Any, good: int) -> None:
        self._client = client
        self._good = good
        self.read: list[str] = []

    def get_object(self, **arguments: Any) -> Any:
        if len(self.read) == self._good:
            raise KeyboardInterrupt
        self.read.append(arguments["Key"])
        return self._client.get_object(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.fixture
def load(
    archive: Archive, states: States, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[list[str], list[str]]]:
    """Download; return the keys of the rows in the file, and the objects that were read."""
    output = Output(tmp_path / "rows.jsonl", may_resume=True)
    monkeypatch.setattr(lists, "READERS", 1)

    def once(good: int = 10**6) -> tuple[list[str], list[str]]:
        client = Breaking(archive.client, good)
        monkeypatch.setattr(results, "client", lambda _: client)
        try:
            results.results(TARGET, "predict", output)
        except KeyboardInterrupt:
            assert len(client.read) == good
        lines = [line for line in output.path.read_text().splitlines() if line.endswith("}")]
        return sorted(json.loads(line)["key"] for line in lines), client.read

    return once


def test_a_download_resumes(archive: Archive, load: Any, tmp_path: Path) -> None:
    answer(archive, *"abcdefghijkl")
    kept, read = load(good=5)
    assert len(kept) == 5
    with (tmp_path / "rows.jsonl").open("a") as file:
        file.write('{"bucket": "pictures", "key": "2024/x')  # Rows that the state does not know,
    with (tmp_path / "rows.jsonl.state").open("a") as file:
        file.write('{"key": "results/mod')  # and a line torn by a power cut.

    whole, rest = load()
    assert whole == [f"2024/{name}.png" for name in "abcdefghijkl"]
    assert len(rest) == 12 - 5
    assert not set(rest) & set(read)
    answer(archive, "new")
    whole, rest = load()
    assert whole[-1] == "2024/new.png"
    assert len(rest) == 1
    assert load() == (whole, [])


def test_an_object_that_has_grown_is_read_again(archive: Archive, load: Any) -> None:
    """The object of a batch grows when failed pictures succeed later."""
    answer(archive, "a", "b")
    load()
    listed = archive.client.list_objects_v2(Bucket=RESULTS_BUCKET, Prefix="results/")["Contents"]
    first, second = (
        rows.read_lines(
            archive.client.get_object(Bucket=RESULTS_BUCKET, Key=each["Key"])["Body"].read()
        )
        for each in listed
    )
    new = {**first[0], "key": "2024/c.png"}
    archive.client.put_object(
        Bucket=RESULTS_BUCKET, Key=listed[0]["Key"], Body=written.write_lines([*first, new])
    )

    whole, read = load()
    assert whole == ["2024/a.png", "2024/b.png", "2024/c.png"]
    assert read == [listed[0]["Key"]]
    assert second


def change_model(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "model", lambda *_: "0" * 64)


def shorten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"")


def lose_state(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.with_name("rows.jsonl.state").unlink()


@pytest.mark.parametrize("change", [change_model, shorten, lose_state])
def test_a_file_of_another_origin_is_refused(
    archive: Archive,
    load: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    answer(archive, "a")
    load()
    change(tmp_path / "rows.jsonl", monkeypatch)
    with pytest.raises(BulkError):
        load()


def test_the_clients_copies_are_the_services() -> None:
    """The client is installed without the service, whose rows it reads."""
    assert tuple(map(str, ARCHIVE_ROUTES)) == rows.ROUTES
    assert (rows.RESULTS, rows.FAILED) == (written.RESULTS, written.FAILED)
    for kind in (rows.RESULTS, rows.FAILED):
        assert rows.folder(kind, "ab" * 32, "predict") == written.folder(
            kind, "ab" * 32, Route.PREDICT
        )
    for fields in (
        {"Key": "a b", "Etag": '"e"', "Size": 3},
        {"Key": "a+%C3%B6", "ETag": "e", "Size": "3", "Bucket": "other"},
        {"key": "a"},
        {"Key": "a", "Size": ""},
    ):
        for is_encoded in (False, True):
            ours = rows.parse_item(fields, "bucket", is_encoded)
            theirs = items.parse_item(fields, "bucket", is_encoded)
            assert (ours.identity, ours.size) == (theirs.identity, theirs.size)
    row = written.Row(items.Item("b", "k", "e"), [], error=("code", "message")).as_json()
    [line] = rows.read_lines(written.write_lines([row]))
    assert rows.item_of(line) == rows.Item("b", "k", "e")
    assert rows.code_of(line) == "code"


@pytest.mark.parametrize(("pictures", "batch"), [(1_000_000, 100), (7, 1), (10_000_000, 1000)])
def test_costs_agree_with_the_tables(pictures: int, batch: int) -> None:
    whole = sum(prices.bulk_dollars(pictures, batch=batch).values())
    assert planned(pictures, batch) == pytest.approx(whole)


BAD_USAGE: dict[str, tuple[list[str], str]] = {
    "no command": ([], "COMMAND"),
    "no source": (["start"], "--prefix"),
    "two sources": (["start", "--prefix", "a", "--manifest", "b"], "not allowed"),
    "an empty batch": (["start", "--prefix", "a", "--batch", "0"], "1000"),
    "both": (["results", "--output", "a", "--resume", "--overwrite"], "--overwrite"),
    "nothing to resume": (["results", "--resume"], "--output"),
    "the other program's": (["watch"], "invalid choice"),
}


@pytest.mark.parametrize(("arguments", "complaint"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = cli.main(["bulk", *arguments])
    except SystemExit as end:
        code = end.code
    assert code == 2
    shown = capsys.readouterr().err
    assert complaint in shown
    assert "matchvec bulk" in shown


def test_an_unknown_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bulk", "status", "--profile", "nobody-has-this"]) == 3
    assert "nobody-has-this" in capsys.readouterr().err


def test_region_and_profile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, str | None]] = []
    monkeypatch.setattr(boto3, "setup_default_session", lambda **given: asked.append(given))
    monkeypatch.setattr(target, "describe", lambda _: None)
    arguments = ["bulk", "status", "--region", "ap-south-1", "--profile", "work"]
    assert cli.main(arguments) == 2
    assert "stack matchvec" in capsys.readouterr().err
    assert asked == [{"region_name": "ap-south-1", "profile_name": "work"}]


def test_no_region(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class NoRegion:
        region_name = None

    monkeypatch.setattr(boto3, "DEFAULT_SESSION", NoRegion())
    assert cli.main(["bulk", "status"]) == 2
    assert "--region" in capsys.readouterr().err


def test_without_boto3() -> None:
    program = (
        "import sys; sys.modules['boto3'] = None; "
        "from matchvec_client.cli import main; sys.exit(main(['bulk', 'status']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "client", capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == "matchvec: bulk needs boto3: pip install 'matchvec-client[bulk]'\n"


@pytest.mark.parametrize("document", ["client/README.md", "docs/scale.md"])
def test_commands_of_documents_parse(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(r"^matchvec bulk (.+)$", text, re.MULTILINE)
    assert found
    for line in found:
        bulk.parse(line.split(), "matchvec bulk")


def test_exit_codes_are_the_clients() -> None:
    assert (bulk.DONE, bulk.RUN_FAILED, bulk.BAD_USAGE, bulk.AWS_REFUSED, bulk.INTERRUPTED) == (
        cli.ALL_ANSWERED,
        cli.SOME_FAILED,
        cli.BAD_USAGE,
        cli.API_FAILED,
        cli.INTERRUPTED,
    )
