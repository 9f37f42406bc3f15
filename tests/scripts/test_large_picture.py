"""A picture that is too large for a request, sent through a bucket on loopback."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from inference.geometry import iou
from tests.support.local_api import ROOT, LocalApi, local_api
from tests.support.uploads import BUCKET, local_s3, send

pytestmark = pytest.mark.slow

SECONDS = 29
SIZE_WH = (8000, 5330)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    """Start the local API with a bucket."""
    log = tmp_path_factory.mktemp("log") / "log"
    with local_s3() as s3:
        environment: Any = {"UPLOAD_BUCKET": BUCKET, **s3.environment}
        with local_api(log, **environment) as api:
            yield api


@pytest.fixture(scope="module")
def large() -> bytes:
    """Return a street with 42.6 megapixels and noise, about 20 MB."""
    with Image.open(ROOT / "samples" / "street.jpg") as street:
        pixels = np.asarray(street.convert("RGB").resize(SIZE_WH, Image.Resampling.BICUBIC))
    tile = np.random.default_rng(8).integers(0, 28, (533, 800, 3), dtype=np.uint8)
    grain = np.tile(tile, (10, 10, 1))
    noisy = np.where(pixels > 255 - grain, 255, pixels + grain)
    output = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(output, "JPEG", quality=95)
    return output.getvalue()


def reduced(content: bytes) -> bytes:
    output = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.resize((SIZE_WH[0] // 10, SIZE_WH[1] // 10), Image.Resampling.BOX).save(
            output, "JPEG", quality=95
        )
    return output.getvalue()


def answer(api: LocalApi, **fields: Any) -> list[dict[str, Any]]:
    files = [
        (name, ("a.jpg", value) if isinstance(value, bytes) else (None, value))
        for name, value in fields.items()
    ]
    response = requests.post(f"{api.url}/predict?details=true", files=files, timeout=SECONDS)
    assert response.status_code == 200, response.text
    images: list[dict[str, Any]] = response.json()["images"]
    assert [image["error"] for image in images] == [None] * len(fields)
    return images


def boxes_xyxy(image: dict[str, Any]) -> Any:
    """Return boxes as shares of the picture's size, to compare different sizes."""
    sides = [[found[side] for side in ("x1", "y1", "x2", "y2")] for found in image["predictions"]]
    return np.array(sides) / np.array((image["width"], image["height"]) * 2)


def test_twenty_megabytes_have_the_result_of_a_small_picture(api: LocalApi, large: bytes) -> None:
    assert 19_000_000 < len(large) < 30_000_000
    too_large = requests.post(f"{api.url}/predict", files={"image": large}, timeout=SECONDS)
    assert too_large.status_code == 413, "which is what uploads are for"

    offer = requests.post(
        f"{api.url}/uploads", json={"content_type": "image/jpeg"}, timeout=SECONDS
    )
    assert offer.status_code == 200, offer.text
    send(offer.json(), large)
    stored, small = answer(api, s3=offer.json()["s3"], image=reduced(large))

    assert (stored["field"], stored["filename"]) == ("s3", offer.json()["s3"])
    assert (stored["width"], stored["height"]) == SIZE_WH
    assert len(small["predictions"]) >= 3
    best = [(each["class_name"], each["pred"][0]) for each in stored["predictions"]]
    assert best == [(each["class_name"], each["pred"][0]) for each in small["predictions"]]
    overlaps = [
        float(iou(box, others))
        for box, others in zip(boxes_xyxy(stored), boxes_xyxy(small), strict=True)
    ]
    assert min(overlaps) > 0.9, overlaps
    print(f"{len(large)} bytes; IoU from {min(overlaps):.3f}; {stored['timing_ms']}")


def test_the_page_may_connect_to_the_bucket(api: LocalApi) -> None:
    page = requests.get(f"{api.url}/", timeout=SECONDS)
    offer = requests.post(f"{api.url}/uploads", timeout=SECONDS).json()
    assert offer["url"].rpartition("/")[0] in page.headers["Content-Security-Policy"]
    assert offer["fields"]["Content-Type"] == "image/jpeg"
