"""Runs the commands and programs of three documents, and compares the answers they show.

After a change of models or answers, this command writes the new answers and the picture into them:

    UPDATE_README=1 .venv/bin/python -m pytest tests/docs/test_readme.py
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.demo import SAMPLES, predict, readable, running, save_annotated
from tests.support.documents import (
    Block,
    assert_alike,
    read_blocks,
    read_fences,
    unread_code,
    write_answer,
)
from tests.support.models import SHARED

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "street.jpg"
UPDATE = os.environ.get("UPDATE_README") == "1"

DOCS = ROOT / "docs"
DOCUMENTS = (README, DOCS / "api.md", DOCS / "clients.md")

NOT_RUN = {
    "make test": "it would run this test again",
    "scripts/deploy.sh --stack matchvec --region us-east-1": "it needs an AWS account",
    ".venv/bin/pip install './client[pictures]'": "tests/client/test_install.py installs a wheel",
}
"""Commands that this test cannot run, with the reason. It checks that what they call exists."""
MAKE_CALLS = {"make test": "-m pytest"}
NEEDS_SHARED = "spectrico_brand"
"""Commands that contain this name, or follow a `make start` that does, need ../shared."""
ADDS_MODEL = "scripts.models add"
LANGUAGES = {
    "shell": "run here",
    "json": "an answer, compared here",
    "http": "a header field of an answer, compared here",
    "python": "run here, or by tests/client/test_readme.py",
    "javascript": "run here",
    "php": "run here",
    "java": "run here",
    "go": "run here",
    "text": "output of a program, compared here",
}

PROGRAMS = {
    "python": ([sys.executable], ".py"),
    "javascript": (["node"], ".mjs"),
    "php": (["php"], ".php"),
    "java": (["java"], ".java"),
    "go": (["go", "run"], ".go"),
}
"""Command and file suffix of the programs in docs/clients.md."""
NEEDED = {"node": ["node", "--version"], "php": ["php", "-r", "curl_version();"]}
"""Command that fails if an interpreter lacks what the program needs."""

LOCAL_URL = "http://127.0.0.1:3000"
BLOCKS = [block for document in DOCUMENTS for block in read_blocks(document)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory with the files that the README uses."""
    home = tmp_path_factory.mktemp("home")
    (home / "Pictures").mkdir()
    (home / "Downloads").mkdir()
    shutil.copy(SAMPLES / "street.jpg", home / "Pictures")
    if SHARED.is_dir():
        shutil.copy(SHARED / "photos" / "clio4.jpg", home / "Pictures" / "clio.jpg")
        for path in (SHARED / "models" / "spectrico_brand").iterdir():
            shutil.copy(path, home / "Downloads")
    return home


@pytest.fixture(scope="module")
def prepare(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """A function that runs the command which adds a model, once, and returns its output."""
    [add] = [block for block in BLOCKS if ADDS_MODEL in block.command]
    return cache(partial(run, add.command, "", home, tmp_path_factory.mktemp("out")))


@pytest.fixture(scope="module")
def serve(home: Path, prepare: Callable[[], str]) -> Iterator[Callable[[str], str]]:
    """A function that runs a `make start` command once and returns the url of the API."""
    with ExitStack() as stack:

        @cache
        def start(command: str) -> str:
            if NEEDS_SHARED in command:
                prepare()
            port = free_port()
            script = command.replace(
                "make start", f"exec {sys.executable} -m scripts.local_api --port {port}"
            )
            script = f"export HOME={home}; {script}"
            url = f"http://127.0.0.1:{port}"
            return stack.enter_context(running(["bash", "-euc", script], url))

        yield start


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("block", BLOCKS, ids=[block.command[:60] for block in BLOCKS])
def test_a_command_prints_what_is_shown(
    block: Block,
    home: Path,
    prepare: Callable[[], str],
    serve: Callable[[str], str],
    tmp_path: Path,
) -> None:
    if block.command in NOT_RUN:
        assert_exists(block.command)
        return
    if NEEDS_SHARED in block.command + block.start and not SHARED.is_dir():
        pytest.skip("the model is in ../shared, which is missing here")
    if ADDS_MODEL in block.command:
        prepare()
        return
    url = serve(block.start)
    if block.command == block.start:
        assert "-m scripts.local_api --host 127.0.0.1 --port 3000" in make_would_run("make start")
        return
    shown = run(block.command, url, home, tmp_path)
    if block.kind == "json":
        answer = json.loads(shown)
        if UPDATE:
            write_answer(block, readable(answer))
        else:
            assert_alike(json.loads(block.answer), answer)
    elif block.kind == "http":
        lines = [line.strip() for line in shown.splitlines()]
        if UPDATE:
            write_answer(block, next(line for line in lines if line.startswith("X-Failed")))
        else:
            assert block.answer in lines


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_program_prints_what_is_shown(
    language: str, serve: Callable[[str], str], tmp_path: Path
) -> None:
    command, suffix = PROGRAMS[language]
    if not can_run(command[0]):
        pytest.skip(f"{command[0]} is not installed, or too old")
    [(program, printed)] = [
        (text, after)
        for (kind, text), (_, after) in pairwise(read_fences(DOCUMENTS[2].read_text("utf-8")))
        if kind == language
    ]
    path = tmp_path / f"Program{suffix}"
    path.write_text(program.replace(LOCAL_URL, serve("make start")), encoding="utf-8")
    done = subprocess.run(
        [*command, str(path)],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "GOCACHE": str(tmp_path / "go")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == printed


def can_run(interpreter: str) -> bool:
    """Return whether an interpreter is installed, new enough and has the extensions."""
    if shutil.which(interpreter) is None:
        return False
    done = subprocess.run(NEEDED.get(interpreter, ["true"]), capture_output=True, text=True)
    return done.returncode == 0 and (
        interpreter != "node" or int(done.stdout.lstrip("v").partition(".")[0]) >= 20
    )


def run(command: str, url: str, home: Path, out: Path) -> str:
    """Run a command in the root of the project; return its output."""
    command = command.replace(LOCAL_URL, url).replace(".venv/bin/python", sys.executable)
    if "scripts.demo" in command:
        command += f" --url {url} --out {out}"
    if ".venv/bin/matchvec" in command:
        module = f"PYTHONPATH=client {sys.executable} -m matchvec_client"
        command = command.replace(".venv/bin/matchvec", module).replace("out/", f"{out}/")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command.replace("curl ", "curl -sS ")],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_exists(command: str) -> None:
    """Fail unless the program that a command calls exists and knows its options."""
    program, *arguments = command.split()
    if program == "make":
        called = make_would_run(command)
        assert MAKE_CALLS[command] in called
        scripts = re.findall(r"scripts/\w+\.sh", called)
        assert [script for script in scripts if not (ROOT / script).is_file()] == []
    elif program == ".venv/bin/pip":
        folder, _, extra = arguments[1].strip("'").rstrip("]").partition("[")
        client = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        assert extra in client["optional-dependencies"]
    else:
        assert os.access(ROOT / program, os.X_OK)
        text = (ROOT / program).read_text()
        assert [each for each in arguments if each.startswith("--") and each not in text] == []


def make_would_run(command: str) -> str:
    """Return the commands that make would run, in the environment of the tests."""
    dry = [*command.split(), "-n", f"VENV={sys.prefix}"]
    return subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "real",
    [
        {"class_name": "bus", "confidence": 0.91, "x1": 10},
        {"class_name": "car", "confidence": 0.8, "x1": 10},
        {"class_name": "car", "confidence": 0.91, "x1": 20},
        {"class_name": "car", "confidence": 0.91},
    ],
    ids=["another class", "another score", "another box", "a missing field"],
)
def test_a_wrong_answer_fails(real: object) -> None:
    shown = {"class_name": "car", "confidence": 0.9, "x1": 11}
    assert_alike(shown, {"class_name": "car", "confidence": 0.91, "x1": 10})
    with pytest.raises(AssertionError):
        assert_alike(shown, real)


def test_every_command_runs_or_has_a_reason() -> None:
    assert set(NOT_RUN) <= {block.command for block in BLOCKS}
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert unread_code(text) == [], document.name
        assert {language for language, _ in read_fences(text)} <= set(LANGUAGES), document.name


@pytest.mark.parametrize(
    "text",
    ["```\nmake a\n```\n", "- so\n\n  ```shell\n  make a\n  ```\n", "So:\n\n    make a\n"],
    ids=["no language", "indented fence", "indented code"],
)
def test_code_in_another_form_fails(text: str) -> None:
    assert unread_code("```shell\nmake b\n```\n") == []
    assert unread_code(text) != []


def test_the_picture_is_the_demos(serve: Callable[[str], str], tmp_path: Path) -> None:
    street = [SAMPLES / "street.jpg"]
    answer = predict(serve("make start"), street)
    [drawn] = save_annotated(street, answer["images"], tmp_path)
    if UPDATE:
        shutil.copy(drawn, PICTURE)
    with Image.open(drawn) as new, Image.open(PICTURE) as shown:
        difference = np.abs(np.asarray(new, np.int16) - np.asarray(shown, np.int16))
    # Mean difference in levels of 255. A box that is two pixels off stays below, a new label not.
    assert difference.mean() < 1.0
