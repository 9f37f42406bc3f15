"""The client is built and installed in an empty environment, and its README's commands run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from matchvec_client import __version__
from tests.client.stub_api import stub_api
from tests.support.handlers import Handler

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = (ROOT / "client" / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(match[1], match[2].strip()) for match in FENCE.finditer(README)]
COMMANDS = [text for kind, text in BLOCKS if kind == "shell" and "pip install" not in text]
TYPED = """
from pathlib import Path

from matchvec_client import AsyncClient, Client, Picture, Prediction

def boxes(client: Client) -> list[tuple[int, int, int, int]]:
    return [found.box_xyxy for picture in client.detect("a.jpg") for found in picture.predictions]

async def names(client: AsyncClient) -> list[str]:
    return [picture.name async for picture in client.predict(["a.jpg", b""], top=1)]

def inputs(client: Client) -> None:
    with open("a.jpg", "rb") as file:
        client.predict([Path("a.jpg"), file, bytearray(), memoryview(b"")], channel_order="BGR")
    client.predict(file)
    print(client.health()["status"], client.models())

def first(picture: Picture) -> Prediction:
    reveal_type(picture.width)
    return picture.predictions[0]
"""


def run(*command: str | Path, **changes: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, **changes},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that `build` makes of the sdist: what the sdist lacks, the wheel lacks."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "client"
    shutil.copytree(ROOT / "client", source, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    run(sys.executable, "-m", "build", "--outdir", folder, source)
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of an environment in which only the client was installed."""
    environment = tmp_path_factory.mktemp("clean") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    pip(environment / "bin", "install", "--quiet", f"{wheel}[pictures]")
    return environment / "bin"


def pip(installed: Path, *arguments: str) -> str:
    python = f"--python={installed / 'python'}"
    return run(sys.executable, "-m", "pip", python, "--disable-pip-version-check", *arguments)


def test_contents_of_the_packages(wheel: Path) -> None:
    folder = ROOT / "client"
    modules = {
        path.relative_to(folder).as_posix()
        for path in (folder / "matchvec_client").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert modules == {name for name in names if ".dist-info/" not in name}
    assert "matchvec_client/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)

    [sdist] = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as sources:
        inside = {name.partition("/")[2] for name in sources.getnames()}
    assert inside == modules | {
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "PKG-INFO",
        "pyproject.toml",
    }


def test_twine_accepts_the_packages(wheel: Path) -> None:
    files = [wheel, *wheel.parent.glob("*.tar.gz")]
    shown = run(sys.executable, "-m", "twine", "check", "--strict", *files)
    assert shown.count("PASSED") == 2


def test_the_changelog_has_the_version() -> None:
    text = (ROOT / "client" / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\S+)", text, re.MULTILINE)
    assert versions[0] == __version__


def test_the_version(installed: Path) -> None:
    shown = pip(installed, "list", "--format=freeze")
    [client] = [line for line in shown.splitlines() if line.startswith("matchvec")]
    imported = run(
        installed / "python", "-c", "import matchvec_client as m; print(m.__version__)"
    ).strip()

    assert client.lower().replace("_", "-") == f"matchvec-client=={imported}"


def test_dependencies(installed: Path) -> None:
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    assert [name.partition(">")[0] for name in project["dependencies"]] == ["httpx"]
    shown = pip(installed, "list", "--format=freeze")
    names = {line.partition("=")[0].lower().replace("_", "-") for line in shown.splitlines()}

    # Dependencies of httpx.
    brought = {"anyio", "certifi", "h11", "httpcore", "idna", "typing-extensions", "sniffio"}
    assert names - brought == {"httpx", "matchvec-client", "pillow"}


def test_the_readmes_commands(installed: Path, handler: Handler, tmp_path: Path) -> None:
    assert len(COMMANDS) >= 4
    with stub_api(handler) as api:
        for command in COMMANDS:
            shown = run(
                "bash",
                "-euo",
                "pipefail",
                "-c",
                command.replace("http://127.0.0.1:3000", api.url).replace("out/", f"{tmp_path}/"),
                PATH=f"{installed}:{os.environ['PATH']}",
            )
            assert ("samples/car.jpg" in shown) == ("--output" not in command)

    assert (tmp_path / "drawn" / "samples" / "car.jpg").is_file()
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 7
    assert (tmp_path / "results.csv").read_text().startswith("picture,")


def test_archives_need_boto3(installed: Path, tmp_path: Path) -> None:
    program = str(installed / "matchvec")
    without = subprocess.run(
        [program, "bulk", "status"], capture_output=True, text=True, timeout=60
    )
    assert without.returncode == 2
    assert "pip install 'matchvec-client[bulk]'" in without.stderr

    extras = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    wanted = extras["optional-dependencies"]["bulk"]
    pip(installed, "install", "--quiet", "--target", str(tmp_path), *wanted)
    assert "start" in run(program, "bulk", "--help", PYTHONPATH=str(tmp_path))


def test_users_are_type_checked(installed: Path, tmp_path: Path) -> None:
    """mypy uses the annotations of an installed package only if it has py.typed."""
    user = tmp_path / "user.py"
    user.write_text(TYPED)
    examples = [text for kind, text in BLOCKS if kind == "python"]
    assert len(examples) >= 2
    for number, text in enumerate(examples):
        (tmp_path / f"example_{number}.py").write_text(text)
    shown = run(
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        f"--cache-dir={tmp_path / 'cache'}",
        f"--python-executable={installed / 'python'}",
        user,
        *sorted(tmp_path.glob("example_*.py")),
    )

    assert 'Revealed type is "int | None"' in shown
    assert "Success" in shown
