"""Addresses, skipped files, versions, completion and watched folders on the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from matchvec_client import __version__
from matchvec_client.arguments import parse
from matchvec_client.cli import main
from matchvec_client.watch import Watch
from tests.client.stub_api import StubApi
from tests.support.pictures import plain

ADDRESSES = {
    "http://a.example": ("http://a.example", False),
    "HTTPS://a.example/Prod": ("HTTPS://a.example/Prod", False),
    "localhost": ("http://localhost", True),
    "localhost:3000": ("http://localhost:3000", True),
    "127.0.0.1:3000/Prod": ("http://127.0.0.1:3000/Prod", True),
    "api.example.com": ("http://api.example.com", True),
    "server:8080": ("http://server:8080", True),
}


@pytest.mark.parametrize(("text", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_addresses(text: str, expected: tuple[str, bool]) -> None:
    parsed = parse([text, "a.jpg"], {})
    assert (parsed.url, parsed.is_http_assumed) == expected
    assert parse(["a.jpg"], {"MATCHVEC_URL": text}).url == expected[0]


@pytest.mark.parametrize("text", ["a.jpg", "photos", "photos/", "./a.b", "C:\\photos", "*.jpg"])
def test_pictures_are_not_addresses(text: str) -> None:
    with pytest.raises(SystemExit):
        parse([text, "b.jpg"], {})


def test_http_is_assumed_and_said(
    api: StubApi, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = api.url.removeprefix("http://")
    assert main([host, str(photos / "00.png")]) == 0
    assert api.url in capsys.readouterr().err


def test_skipped_files_are_counted_and_named(
    api: StubApi, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(7):
        (photos / f"{number}.txt").write_text("text")
    assert main([api.url, str(photos)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("matchvec: 7 ")
    assert "0.txt" in lines[1]
    assert lines[1].endswith("and 2 more")
    assert main([api.url, str(photos), "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_picture_that_is_too_large_names_the_option(
    api: StubApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.bmp").write_bytes(b"BM" + bytes(5_000_000))
    assert main([api.url, str(tmp_path)]) == 1
    assert "--shrink" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.split() == ["matchvec-client", __version__]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    completed: list[tuple[str, set[str]]] = []

    def complete(parser: Any, shell: str) -> str:
        kinds = {each.dest for each in vars(parser)["_actions"] if hasattr(each, "complete")}
        completed.append((shell, kinds))
        return "# script"

    shtab: Any = ModuleType("shtab")
    shtab.FILE, shtab.DIRECTORY, shtab.complete = "file", "directory", complete
    monkeypatch.setitem(sys.modules, "shtab", shtab)
    with pytest.raises(SystemExit) as end:
        main(["--print-completion", shell])
    assert end.value.code == 0
    assert capsys.readouterr().out == "# script\n"
    assert completed == [(shell, {"given", "output", "annotate", "watch"})]


WORDS = {
    "first word": (["bu"], ["bulk"]),
    "bulk": (["bulk", "s"], ["start", "status"]),
    "an option of bulk": (["bulk", "status", "--fo"], ["--follow"]),
    "an option": (["http://a.example", "--anno"], ["--annotate"]),
}


@pytest.mark.parametrize(("words", "expected"), WORDS.values(), ids=WORDS)
def test_bash_completes(
    words: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = capsys.readouterr().out
    typed = " ".join(f"'{word}'" for word in ["matchvec", *words])
    asks = f"COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _shtab_matchvec"
    done = subprocess.run(
        ["bash", "-c", f'{script}\n{asks}\necho "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.split()) == expected


def test_completion_needs_shtab(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--print-completion", "bash"]) == 2
    assert "matchvec-client[completion]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["{}/00.png", "--watch", "{}"], "--watch"),
        (["--watch", "{}/missing"], "missing"),
        (["--watch", "{}", "--format", "csv"], "--output"),
    ],
    ids=["other pictures", "no folder", "csv on standard output"],
)
def test_bad_watch(
    photos: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [each.replace("{}", str(photos)) for each in arguments]
    with pytest.raises(SystemExit) as end:
        main(["http://127.0.0.1:1", *filled])
    assert end.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_file_is_ready_when_it_no_longer_changes(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    assert watch.poll() == []
    (tmp_path / "a.png").write_bytes(b"1")
    assert watch.poll() == []
    (tmp_path / "a.png").write_bytes(b"12")
    assert watch.poll() == []
    assert [Path(source.name).name for source in watch.poll()] == ["a.png"]
    assert watch.poll() == []
    (tmp_path / "a.png").write_bytes(b"123")
    assert watch.poll() == []
    assert [source.size for source in watch.poll()] == [3]
    assert len(watch.ready) == 1


def steps(*actions: Callable[[], object]) -> Callable[[float], object]:
    """A sleep that does one action per call, and then interrupts the program."""
    left = list(actions)

    def sleep(_: float) -> object:
        if not left:
            raise KeyboardInterrupt
        return left.pop(0)()

    return sleep


def test_watch_on_standard_output(
    api: StubApi, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = photos / "99.png"
    sleep = steps(int, lambda: new.write_bytes(plain(width=99)), int, int)
    assert main([api.url, "--watch", str(photos)], sleep=sleep) == 130
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["width"] for row in rows] == [*range(10, 30), 99]


def test_watch_with_a_file(api: StubApi, photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "all.csv"
    new = photos / "99.png"
    sleep = steps(int, lambda: new.write_bytes(plain(width=99)), int, int)
    arguments = [api.url, "--watch", str(photos), "--output", str(output)]
    assert main(arguments, sleep=sleep) == 130
    with output.open(newline="") as file:
        widths = [row["width"] for row in csv.DictReader(file)]
    assert widths == [str(width) for width in [*range(10, 30), 99]]
    assert sum(len(names) for names in api.batches) == 21
