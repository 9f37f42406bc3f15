"""The pictures and bodies of public libraries' own tests, within 5 s of processor time and 1 GB."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_api import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

MAX_SECONDS, MAX_BYTES = 5.0, 1_000_000_000

# Pictures go to `decode`; bodies go to the handler.
MEASURE = """
import csv, json, sys, time
from pathlib import Path
from inference.errors import PictureError
from inference.decoding.decode import decode
from tests.support.handlers import make_handler
from service.settings import Settings
from tests.support.events import rest_event
from tests.support.models import fake_pipeline

folder = Path(sys.argv[1])
handler = make_handler(Settings.from_environment({}), load=lambda _: fake_pipeline())

def picture(case):
    try:
        height, width, _ = decode((folder / case["file"]).read_bytes(), max_pixels=50_000_000).shape
    except PictureError as error:
        return error.code
    return f"{width}x{height}"

def body(case):
    event = rest_event("/shape", case["content_type"], (folder / case["body"]).read_bytes())
    response = handler(event, None)
    answer = json.loads(response["body"])
    return [response["statusCode"], len(answer) if isinstance(answer, list) else 0]

def timed(answer, cases, name):
    for case in cases:
        start = time.process_time()
        found = answer(case)
        yield case[name], found, time.process_time() - start

pictures = list(timed(picture, csv.DictReader((folder / "manifest.csv").open()), "file"))
bodies = list(timed(body, json.loads((folder / "multipart/cases.json").read_text()), "id"))
# Not ru_maxrss, which begins with what the process had before it became this program: pytest.
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps({"pictures": pictures, "bodies": bodies, "peak": peak}))
"""


@pytest.fixture(scope="module")
def measured(shared: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(shared / "corpus")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_pictures_are_what_the_manifest_expects(shared: Path, measured: Any) -> None:
    wrong = {}
    with (shared / "corpus/manifest.csv").open() as manifest:
        cases = list(csv.DictReader(manifest))
    for case, (_, found, _) in zip(cases, measured["pictures"], strict=True):
        size = f"{case['width']}x{case['height']}"
        is_ours = case["format"] != "JPEG2000"
        is_refused = found in {"not_an_image", "unsupported_format", "image_too_large"}
        is_expected = {
            "yes": found == (size if is_ours else "unsupported_format"),
            "no": is_refused,
            "either": True,
        }[case["decodable"]]
        if not is_expected:
            wrong[case["file"]] = found

    assert len(cases) == 133
    assert wrong == {}


def test_bodies_are_answered_as_the_manifest_expects(shared: Path, measured: Any) -> None:
    cases = json.loads((shared / "corpus/multipart/cases.json").read_text())
    wrong = {}
    for case, (_, (status, elements), _) in zip(cases, measured["bodies"], strict=True):
        # The manifest is older than the field names file and files.
        names = [part["name"] for part in case["parts"] or ()]
        files = sum(name in ("file", "files", "files[]") for name in names)
        expected = [number + files for number in case["expect_elements"] or ()]
        if status not in case["expect_status"] or (expected and elements not in expected):
            wrong[case["id"]] = (status, elements)

    assert len(cases) == 86
    assert wrong == {}


@pytest.mark.parametrize("kind", ["pictures", "bodies"])
def test_no_case_takes_long_or_much(kind: str, measured: Any) -> None:
    seconds, name = max((seconds, name) for name, _, seconds in measured[kind])
    print(f"{kind}: at most {seconds:.2f} s ({name}), {measured['peak'] / 1e6:.0f} MB")

    assert seconds < MAX_SECONDS, name
    assert measured["peak"] < MAX_BYTES
