"""The website of the documentation builds without a warning, and its links are right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.docs_pages.site import OUTSIDE, site_links

ROOT = Path(__file__).parents[2]


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "index.html").is_file()


def test_every_document_has_a_place_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r": (\S+\.md)$", navigation, re.MULTILINE)
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} | set(OUTSIDE)
    assert sorted(listed) == sorted(pages)


@pytest.mark.parametrize(
    ("page", "markdown", "expected"),
    [
        ("index.md", "[a](docs/api.md#b)", "[a](api.md#b)"),
        ("api.md", "[a](../client/README.md)", "[a](client.md)"),
        ("api.md", "[a](routes.md)", "[a](routes.md)"),
        ("api.md", "[a](#b) [c](https://example.com)", "[a](#b) [c](https://example.com)"),
        ("api.md", "[`a`](../gateway/errors.py)", "`a`"),
        ("client.md", "[a](../docs/quickstart.ipynb)", "a"),
        ("model-cards/vehicle_detector.md", "[a](../../README.md)", "[a](../index.md)"),
        ("index.md", "![a](docs/images/street.jpg)", "![a](images/street.jpg)"),
        ("index.md", "```text\n[a](docs/api.md)\n```", "```text\n[a](docs/api.md)\n```"),
    ],
)
def test_links(page: str, markdown: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert site_links(markdown, page) == expected


def test_other_files_are_on_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/matchvec")
    base = "https://github.com/someone/matchvec"
    assert (
        site_links("[a](gateway/event.py)", "index.md") == f"[a]({base}/blob/main/gateway/event.py)"
    )
    assert site_links("[a](models)", "index.md") == f"[a]({base}/tree/main/models)"
