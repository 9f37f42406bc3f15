"""A run that is killed half-way is resumed, and every picture is answered exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.client.stub_api import Seen, StubApi
from tests.support.pictures import plain

ROOT = Path(__file__).parents[2]
PICTURES = 500
HALF = 250


def command(api: StubApi, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "matchvec_client", api.url, *arguments]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "client")}


def test_500_pictures_killed_half_way(api: StubApi, tmp_path: Path) -> None:
    photos, output = tmp_path / "photos", tmp_path / "all.jsonl"
    photos.mkdir()
    for number in range(PICTURES):
        (photos / f"{number:03}.png").write_bytes(plain(width=8 + number % 50))
    is_half, is_killed = threading.Event(), threading.Event()
    answered = 0

    def stop_half_way(seen: Seen) -> None:
        nonlocal answered
        answered += len(seen.parts)
        if answered > HALF:
            is_half.set()
            is_killed.wait(60)

    api.wrong = stop_half_way
    arguments = [str(photos), "--output", str(output), "--resume", "--batch", "10"]
    with subprocess.Popen(command(api, *arguments), env=ENVIRONMENT) as client:
        assert is_half.wait(60)
        # The earlier pictures are answered; wait until they are written.
        wait_until(lambda: len(whole_lines(output)) == HALF)
        client.send_signal(signal.SIGKILL)
    is_killed.set()
    api.wrong = lambda seen: None
    assert client.returncode == -signal.SIGKILL

    before = [json.loads(line)["picture"] for line in whole_lines(output)]
    assert len(before) == HALF
    with output.open("ab") as file:
        file.write(b'{"picture": "' + str(photos / "499.png").encode())  # Torn by a power cut.
    killed_after = len(api.seen)
    done = subprocess.run(
        command(api, *arguments), env=ENVIRONMENT, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr
    assert f"{len(before)} pictures are already done" in done.stderr
    rows = [json.loads(line) for line in output.read_bytes().splitlines()]
    assert len(rows) == PICTURES
    assert Counter(row["picture"] for row in rows) == {
        str(photos / f"{number:03}.png"): 1 for number in range(PICTURES)
    }
    assert [row["width"] for row in rows] == [
        8 + int(Path(row["picture"]).stem) % 50 for row in rows
    ]
    sent_again = {name for seen in api.seen[killed_after:] for name in seen.names}
    assert sent_again.isdisjoint(Path(name).name for name in before)


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def whole_lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def test_an_interrupted_run_is_resumed(api: StubApi, photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "all.csv"
    waiting, release = threading.Event(), threading.Event()

    def block(seen: Seen) -> None:
        if len(api.seen) == 5:
            waiting.set()
            release.wait(60)

    api.wrong = block
    arguments = [str(photos), "--output", str(output), "--batch", "1", "--jobs", "1"]
    with subprocess.Popen(
        command(api, *arguments), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as client:
        assert waiting.wait(60)
        client.send_signal(signal.SIGINT)
        release.set()
        _, complaint = client.communicate(timeout=60)
    assert client.returncode == 130
    assert "interrupted" in complaint
    assert "Traceback" not in complaint
    assert not output.exists()

    done: Any = subprocess.run([*command(api, *arguments), "--resume"], env=ENVIRONMENT, timeout=60)

    assert done.returncode == 0
    names = [line.split(",")[0] for line in output.read_text().splitlines()]
    assert names == ["picture", *(str(photos / f"{number:02}.png") for number in range(20))]
