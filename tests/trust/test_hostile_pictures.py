"""Every hostile picture is decoded or refused, within 5 s of processor time and 1 GB."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.hostile import FLOODS, HARMLESS
from tests.support.local_api import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

MAX_SECONDS, MAX_BYTES = 5.0, 1_000_000_000

MEASURE = """
import json, sys, time
from pathlib import Path
from inference.errors import PictureError
from inference.decoding.decode import decode
from tests.support.hostile import FLOODS, HARMLESS, cases_of

slowest, answers = (0.0, ""), {}
for name, data in cases_of(sys.argv[1]):
    start = time.process_time()
    try:
        height, width, _ = decode(data, max_pixels=50_000_000).shape
        answer = f"{width}x{height}"
    except PictureError as error:
        answer = error.code
    slowest = max(slowest, (time.process_time() - start, name))
    answers[answer] = answers.get(answer, 0) + 1
# Not ru_maxrss, which begins with what the process had before it became this program: pytest.
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps([*slowest, peak, answers]))
"""

KINDS = ("floods", "harmless", "JPEG", "progressive", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@pytest.mark.promise("decoding-cost")
@pytest.mark.parametrize("kind", KINDS)
def test_generated_pictures_take_little(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seconds, name, peak, answers = json.loads(done.stdout)
    print(f"{kind}: at most {seconds:.2f} s ({name}), {peak / 1e6:.0f} MB, {answers}")

    assert seconds < MAX_SECONDS, name
    assert peak < MAX_BYTES
    if kind == "floods":
        assert sum(answers.values()) == len(FLOODS)
        assert set(answers) == {"not_an_image", "image_too_large"}
    elif kind == "harmless":
        assert sum(answers.values()) == len(HARMLESS)
        assert set(answers) <= {"40x20", "8x6", "4000x3000", "1000x1000"}
    else:
        assert sum(answers.values()) > 150
        assert answers["not_an_image"] > 20
