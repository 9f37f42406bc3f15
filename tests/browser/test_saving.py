"""The try page: downloads, and the same request from code."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.browser.conftest import SAMPLES, OpenPage
from tests.browser.gateway import Stage
from tests.browser.try_page import LETTER, STREET, add, expect, labels, named

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]
ROOT = Path(__file__).parents[2]


def download(page: Page, name: str) -> bytes:
    page.locator("#download summary").click()
    with page.expect_download() as started:
        page.get_by_role("button", name=name).click()
    return Path(started.value.path()).read_bytes()


def test_json_and_csv(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, named("=1+1.jpg", STREET), LETTER)
    answers = json.loads(download(page, "JSON"))
    assert [each["picture"] for each in answers] == ["=1+1.jpg", "letter.jpg"]
    assert [len(each["predictions"]) for each in answers] == [4, 0]
    assert answers[1]["error"]["code"] == "not_an_image"
    rows = list(csv.DictReader(io.StringIO(download(page, "CSV").decode())))
    assert [row["picture"] for row in rows] == ["'=1+1.jpg"] * 4 + ["letter.jpg"]
    assert [row["number"] for row in rows] == ["1", "2", "3", "4", ""]
    assert rows[4]["error"] == "not_an_image"


def test_the_picture_with_boxes(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    drawn = Image.open(io.BytesIO(download(page, "This picture with boxes"))).convert("RGB")
    with Image.open(STREET) as original:
        assert drawn.size == original.size
        assert drawn.tobytes() != original.convert("RGB").tobytes()


def test_everything_as_a_zip(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET, LETTER, named("../l'été.jpg", SAMPLES / "car.jpg"))
    with zipfile.ZipFile(io.BytesIO(download(page, "All of these as ZIP"))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "matchvec.json",
            "matchvec.csv",
            "pictures/1-street.jpg",
            "pictures/3-_l_été.jpg",
        ]
        assert len(json.loads(archive.read("matchvec.json"))) == 3


def code(page: Page, tab: str) -> str:
    """Choose a tab, press its copy button and return the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("tab", name=tab).click()
    page.locator("#panel button").click()
    expect(page.locator("#panel button")).to_have_text("Copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


PROGRAMS: dict[str, list[str]] = {
    "curl": ["bash", "-c"],
    "Python (matchvec-client)": [sys.executable, "-c"],
    "Python (requests)": [sys.executable, "-c"],
    "JavaScript": ["node", "--input-type=module", "-e"],
}


@pytest.mark.parametrize(("tab", "command"), PROGRAMS.items(), ids=PROGRAMS)
def test_code_sends_the_same_request(
    tab: str, command: list[str], stage: Stage, open_page: OpenPage, tmp_path: Path
) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    page = open_page(f"{stage.url}/")
    names = ['street; 1, "old".jpg', "l'été.jpg"]
    for name in names:
        shutil.copy(STREET, tmp_path / name)
    add(page, *(tmp_path / name for name in names))
    before = len(stage.requests)
    done = subprocess.run(
        [*command, code(page, tab)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert ("POST", "/Prod/predict") in stage.requests[before:]
    if tab == "curl":
        answer: Any = json.loads(done.stdout)
        assert [image["filename"] for image in answer["images"]] == names
        assert [len(image["predictions"]) for image in answer["images"]] == [len(labels(page))] * 2
