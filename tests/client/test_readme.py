"""The programs and tables of the READMEs; test_install.py runs their shell commands."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from matchvec_client import Limits, Retry, cli
from matchvec_client.output import FORMATS
from tests.client.stub_api import StubApi
from tests.client.test_resume import ENVIRONMENT, ROOT

README = (ROOT / "client" / "README.md").read_text(encoding="utf-8")
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("path", "number", "lines"),
    [
        ("client/README.md", 0, ["samples/README.md not_an_image"]),
        ("client/README.md", 0, ["samples/car.jpg (0, 0, 400, 533) clio 0.75"]),
        ("client/README.md", 1, ["14"]),
        ("README.md", 0, ["samples/car.jpg ['clio: 0.75']", "samples/cutout.png ['clio: 0.75']"]),
    ],
)
def test_programs(api: StubApi, path: str, number: int, lines: list[str]) -> None:
    programs = PROGRAM.findall((ROOT / path).read_text(encoding="utf-8"))
    program = programs[number].replace("http://127.0.0.1:3000", api.url)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
    )

    assert done.stderr == ""
    assert set(lines) <= set(done.stdout.splitlines())


def cells(heading: str, column: int) -> list[str]:
    table = README.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [line.split("|")[column].strip().strip("`") for line in table.splitlines()[2:]]


def test_exit_codes() -> None:
    codes = (
        cli.ALL_ANSWERED,
        cli.SOME_FAILED,
        cli.BAD_USAGE,
        cli.API_FAILED,
        cli.INTERRUPTED,
        cli.CLOSED_PIPE,
    )
    assert cells("exit code", 1) == [str(code) for code in codes]


def test_formats_and_extras() -> None:
    assert sorted(cells("`--format`", 1)) == sorted(FORMATS)
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    assert sorted(cells("extra", 1)) == sorted(project["optional-dependencies"])


def test_limits() -> None:
    numbers = [float(cell.split()[0]) for cell in cells("what", 2)]
    limits = Limits()
    retries = Retry().attempts - 1
    assert numbers == [limits.pictures, limits.urls, limits.body_bytes / 1e6, 4, retries]


def test_links() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert links
    assert [link for link in links if not (Path(ROOT, "client", link)).exists()] == []
