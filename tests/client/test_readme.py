"""What the READMEs say of the client is so; their shell commands run in test_install.py."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from matchvec_client import Limits, Retry, cli
from matchvec_client.output import FORMATS
from matchvec_client.run import MAX_FAILURES_IN_A_ROW, ROUNDS
from matchvec_client.types import TRANSIENT_CODES
from tests.client.stub_api import StubApi
from tests.client.test_resume import ENVIRONMENT, ROOT

README = (ROOT / "client" / "README.md").read_text(encoding="utf-8")
TEXT = " ".join(README.split())
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


def first_cells(heading: str) -> list[str]:
    table = README.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip().strip("`") for line in table.splitlines()[2:]]


def test_tables() -> None:
    assert first_cells("exit code") == [
        str(code)
        for code in (
            cli.ALL_ANSWERED,
            cli.SOME_FAILED,
            cli.BAD_USAGE,
            cli.API_FAILED,
            cli.INTERRUPTED,
            cli.CLOSED_PIPE,
        )
    ]
    assert sorted(first_cells("`--format`")) == sorted(FORMATS)


def test_numbers_and_codes() -> None:
    assert (Limits(), Retry().attempts) == (Limits(16, 8, 4_400_000), 6)
    for text in ("at most 16 pictures", "8 urls and 4.4 MB", "tried 5 times more"):
        assert text in TEXT
    assert (MAX_FAILURES_IN_A_ROW, ROUNDS) == (5, 3)
    assert "after five of these in a row" in TEXT
    assert "sent twice more" in TEXT
    listed = TEXT.partition("for a reason of the moment (")[2].partition(")")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == TRANSIENT_CODES


def test_the_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert links
    assert [link for link in links if not (Path(ROOT, "client", link)).exists()] == []
