from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from matchvec_client import Retry, images
from matchvec_client.cli import main
from tests.client.stub_api import Fault, StubApi
from tests.client.test_resume import ENVIRONMENT
from tests.support.pictures import plain


def test_a_table_on_standard_output(
    api: StubApi, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([api.url, str(photos)]) == 0
    shown, progress = capsys.readouterr()

    lines = shown.splitlines()
    assert len(lines) == 21
    assert lines[0].split() == ["PICTURE", "FOUND", "SCORE", "LABEL", "BOX"]
    assert lines[1] == f"{photos / '00.png'}  car    0.900  clio: 0.75  0 0 5 6"
    assert "20/20  100 %" in progress


def test_json_lines_in_order_and_quiet(
    api: StubApi, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--format", "jsonl", "--quiet", "--batch", "1", "--jobs", "8"]
    assert main([*arguments, "--route", "object_detection", api.url, str(photos)]) == 0
    shown, progress = capsys.readouterr()

    rows = [json.loads(line) for line in shown.splitlines()]
    assert [row["width"] for row in rows] == list(range(10, 30))
    assert [found["class_name"] for found in rows[0]["predictions"]] == ["car", "person"]
    assert (rows[0]["route"], rows[0]["top"]) == ("object_detection", None)
    assert progress == ""


def test_the_environment_names_the_api(
    api: StubApi, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHVEC_URL", api.url)
    monkeypatch.setenv("MATCHVEC_API_KEY", "secret")
    assert main([str(photos / "00.png"), "--threshold", "0.25", "--top", "2"]) == 0

    assert api.seen[0].headers["x-api-key"] == "secret"
    assert api.seen[0].query == {"details": "true", "threshold": "0.25", "top": "2"}


def test_lists_of_pictures(
    api: StubApi,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = photos / "list.txt"
    listed.write_text(f"{photos / '01.png'}\n\n  {photos / '02.png'}\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{photos / '03.png'}\n"))
    assert main(["--url", api.url, "--format", "jsonl", f"@{listed}", "-"]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(row["picture"]).name for row in rows] == ["01.png", "02.png", "03.png"]


def test_a_failed_picture_is_a_row_and_an_exit_code(
    api: StubApi, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "05.png").write_bytes(b"not a picture")
    output = tmp_path / "deep" / "all.csv"
    arguments = [api.url, str(photos), "--output", str(output)]
    assert main(arguments) == 1

    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    assert [(Path(row["picture"]).name, row["error"]) for row in rows if row["error"]] == [
        ("05.png", "not_an_image")
    ]
    assert "1 failed" in capsys.readouterr().err

    requests = len(api.seen)
    assert main(arguments) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*arguments, "--resume"]) == 1  # A final error is not sent again.
    assert len(api.seen) == requests
    (photos / "05.png").write_bytes(plain())
    assert main([*arguments, "--resume"]) == 0
    assert api.seen[requests].names == ["05.png"]
    assert main([*arguments, "--overwrite"]) == 0
    assert sum(len(names) for names in api.batches[requests + 1 :]) == 20


def test_resume_with_other_options(
    api: StubApi, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [api.url, str(photos), "--output", str(tmp_path / "all.jsonl"), "--resume"]
    assert main(arguments) == 0
    assert main([*arguments, "--threshold", "0.7"]) == 2
    assert "0.7" in capsys.readouterr().err


def test_answers_are_kept_when_the_api_fails(
    api: StubApi,
    photos: Path,
    tmp_path: Path,
    retry: Retry,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = Fault(503, '{"error": {"code": "model_unavailable", "message": "No model."}}')
    api.wrong = lambda seen: gone if "12.png" in seen.names else None
    output = tmp_path / "all.jsonl"
    arguments = [api.url, str(photos), "--batch", "2", "--jobs", "1", "--retries", "1"]
    assert main([*arguments, "--output", str(output)], retry=retry) == 3
    assert "No model. (unreachable)" in capsys.readouterr().err
    assert len(output.read_text().splitlines()) == 12
    assert main(arguments, retry=retry) == 3
    assert len(capsys.readouterr().out.splitlines()) == 1 + 12  # The table has the answers so far.

    api.wrong = lambda seen: None
    assert main([*arguments, "--output", str(output), "--resume"]) == 0
    assert len(output.read_text().splitlines()) == 20


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "MATCHVEC_URL"),
        (["a.jpg"], "MATCHVEC_URL"),
        (["http://127.0.0.1:1"], "pictures"),
        (["http://127.0.0.1:1", "nothing.jpg"], "nothing.jpg"),
        (["http://127.0.0.1:1", "@nothing.txt"], "nothing.txt"),
        (["http://127.0.0.1:1", "{}", "--batch", "33"], "--batch 33"),
        (["http://127.0.0.1:1", "{}", "--jobs", "0"], "--jobs 0"),
        (["http://127.0.0.1:1", "{}", "--top", "21"], "top=21"),
        (["http://127.0.0.1:1", "{}", "--threshold", "2"], "threshold=2"),
        (["http://127.0.0.1:1", "{}", "--resume"], "--output"),
        (["http://127.0.0.1:1", "{}", "--resume", "--overwrite", "--output", "a"], "--overwrite"),
        (["http://127.0.0.1:1", "{}", "--output", "{}/00.png/all.jsonl"], "File exists"),
    ],
    ids=" ".join,
)
def test_bad_usage(
    photos: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [argument.replace("{}", str(photos)) for argument in arguments]
    try:
        code: object = main(filled)
    except SystemExit as end:
        code = end.code

    assert code == 2
    assert complaint in capsys.readouterr().err


def test_unreachable(photos: Path, retry: Retry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http://127.0.0.1:1", str(photos)], retry=retry) == 3
    assert "(unreachable)" in capsys.readouterr().err


def test_without_pillow(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(images, "HAS_PILLOW", False)
    for option in (["--shrink"], ["--annotate", "out"]):
        assert main(["http://127.0.0.1:1", str(photos), *option]) == 2
        assert "pip install 'matchvec-client[pictures]'" in capsys.readouterr().err


def test_a_reader_that_stops_early(api: StubApi, photos: Path) -> None:
    """`matchvec ... | head -1` closes the pipe early."""
    command = [sys.executable, "-m", "matchvec_client", api.url, str(photos), "--format", "jsonl"]
    with subprocess.Popen(
        [*command, "--batch", "1"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout
        assert client.stderr
        client.stdout.close()
        complaint = client.stderr.read()

    assert client.returncode == 141
    assert "Traceback" not in complaint
    assert "BrokenPipe" not in complaint
