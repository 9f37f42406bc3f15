"""Counts of the expensive operations per request and per cold start, which timings only hint at."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageFile

from inference.session import Session
from inference.types import Outputs, Tensor
from service.settings import Settings
from tests.support.events import form_event, upload
from tests.support.handlers import Handler, make_handler
from tests.support.pictures import encode

ROOT = Path(__file__).parent.parent
STREET = (ROOT / "samples" / "street.jpg").read_bytes()


@pytest.fixture(scope="module")
def handler() -> Handler:
    return make_handler(replace(Settings.from_environment({}), memory_mb=1))


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts, while a test runs, files decoded and models run, by the batch's size."""
    counted: Counter[str] = Counter()
    load, run, decode_jpeg = ImageFile.ImageFile.load, Session.run, simplejpeg.decode_jpeg

    def counting_load(image: ImageFile.ImageFile) -> Any:
        # Pillow asks for pixels that are there already, too; only the first time is work.
        counted["decodes"] += bool(image.tile)
        return load(image)

    def counting_decode_jpeg(*arguments: Any, **options: Any) -> Any:
        counted["decodes"] += 1
        return decode_jpeg(*arguments, **options)

    def counting_run(session: Session, tensor: Tensor) -> Outputs:
        counted[f"runs of {session.input_name} {tensor.shape[2]}x{tensor.shape[3]}"] += 1
        counted["pictures in runs"] += len(tensor)
        return run(session, tensor)

    monkeypatch.setattr(ImageFile.ImageFile, "load", counting_load)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", counting_decode_jpeg)
    monkeypatch.setattr(Session, "run", counting_run)
    return counted


@pytest.fixture(scope="module")
def large_street() -> bytes:
    """The street with four vehicles in 3072 x 2049: each is large enough in a quarter of it."""
    with Image.open(ROOT / "samples" / "street.jpg") as image:
        return encode(image.resize((3072, 2049)), "JPEG", quality=90)


COUNTS: dict[str, tuple[str, int, dict[str, int]]] = {
    "/shape runs no model": ("/shape", 1, {"decodes": 1}),
    "/object_detection runs one, once": (
        "/object_detection",
        1,
        {"decodes": 1, "runs of images 288x416": 1, "pictures in runs": 1},
    ),
    "/predict runs the classifier once for the four vehicles of a picture": (
        "/predict",
        1,
        {
            "decodes": 1,
            "runs of images 288x416": 1,
            "runs of images 224x224": 1,
            "pictures in runs": 1 + 4,
        },
    ),
    "three pictures are three times the work of one": (
        "/predict",
        3,
        {
            "decodes": 3,
            "runs of images 288x416": 3,
            "runs of images 224x224": 3,
            "pictures in runs": 3 * 5,
        },
    ),
}


@pytest.mark.parametrize(("path", "pictures", "expected"), COUNTS.values(), ids=COUNTS)
def test_decodes_and_runs(
    path: str,
    pictures: int,
    expected: dict[str, int],
    handler: Handler,
    counts: Counter[str],
) -> None:
    response = handler(form_event(path, *[upload(STREET)] * pictures), None)

    assert response["statusCode"] == 200
    assert dict(counts) == expected


def test_a_large_picture_is_decoded_again_only_for_a_small_vehicle(
    handler: Handler, large_street: bytes, counts: Counter[str]
) -> None:
    large = upload(large_street)
    handler(form_event("/object_detection", large), None)
    handler(form_event("/predict", large), None)

    assert counts["decodes"] == 1 + 2


def test_a_body_is_copied_no_more_often_than_it_has_to_be(handler: Handler) -> None:
    """From base64 to bytes, from the form to its parts: twice, whatever the number of parts."""
    import tracemalloc

    noise = np.random.default_rng(1).bytes(3_000_000)
    event = form_event("/shape", upload(noise))
    handler(event, None)
    tracemalloc.start()
    handler(event, None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert isinstance(event["body"], str)
    assert len(base64.b64decode(event["body"])) > len(noise)
    assert peak < 2.2 * len(noise)


def printed(script: str, content: bytes = b"") -> str:
    """Return the output of a new Python, run in the project's folder."""
    environment = {name: value for name, value in os.environ.items() if "OPENBLAS" not in name}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=content, capture_output=True, check=True
    )
    return done.stdout.decode()


IMPORTS = """
import sys
before = set(sys.modules)
import lambda_function
print(*set(sys.modules) - before)
"""

THIRD_PARTY = {"cv2", "numpy", "onnxruntime", "pybase64", "simplejpeg"}
LATER = {
    "PIL",
    "boto3",
    "email.parser",
    "http.client",
    "inference.heads.ssd",
    "service.batch.handler",
    "service.pages",
    "socket",
    "ssl",
}
"""Modules that only some requests or other models need: urls, S3, drawn answers, pages."""


def test_the_start_imports_what_every_request_needs_and_nothing_else() -> None:
    modules = set(printed(IMPORTS).split())
    imported = {name.partition(".")[0] for name in modules}
    ours = {"gateway", "inference", "lambda_function", "service"}

    others = {name for name in imported if name not in sys.stdlib_module_names}
    assert {name for name in others if "cython" not in name} - {
        "_pybase64",
        "coloredlogs",
        "flatbuffers",
    } == THIRD_PARTY | ours
    assert modules & LATER == set()


ORDER = """
import gc, os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "onnxruntime", "cv2"):
            is_loading = hasattr(sys.modules["lambda_function"], "models")
            print(name, gc.isenabled(), os.environ.get("OPENBLAS_NUM_THREADS"), is_loading)
sys.meta_path.insert(0, Watch())
import lambda_function
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""


def test_the_models_are_loaded_while_the_rest_is_imported() -> None:
    *imports, end = printed(ORDER).splitlines()

    assert imports[:2] == ["numpy False 1 False", "onnxruntime False 1 False"]
    assert set(imports[2:]) == {"cv2 False 1 True"}
    assert end == "True True"


FIRST_PICTURE = """
import sys
from inference.decoding.decode import decode
decode(sys.stdin.buffer.read(), max_pixels=1_000_000)
print("PIL" in sys.modules)
"""


def test_a_jpeg_needs_no_pillow() -> None:
    assert printed(FIRST_PICTURE, STREET) == "False\n"
