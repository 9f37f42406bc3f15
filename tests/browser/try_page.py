"""Helpers for tests of the try page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tests.browser.conftest import SAMPLES, SECONDS
from tests.browser.gateway import LambdaHandler
from tests.support.pictures import encode

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Locator, Page

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
STREET = SAMPLES / "street.jpg"
LETTER: FilePayload = {
    "name": "letter.jpg",
    "mimeType": "image/jpeg",
    "buffer": b"Dear Sir or Madam,",
}


def expect(locator: Locator) -> Any:
    from playwright.sync_api import expect as expect_locator

    return expect_locator(locator)


def add(page: Page, *files: Path | FilePayload) -> None:
    """Choose files and wait until all are answered or failed."""
    page.set_input_files("#files", [payload(file) for file in files])
    settle(page)


def settle(page: Page) -> None:
    """Wait until no request is in progress and every picture is answered or failed."""
    until(
        page,
        "!running && pictures.length > 0"
        " && pictures.every((each) => ['done', 'failed'].includes(each.state))",
    )


def until(page: Page, condition: str) -> None:
    """Wait for a JavaScript condition; the page's policy forbids Playwright's own way."""
    end = time.monotonic() + 4 * SECONDS
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def payload(file: Path | FilePayload) -> FilePayload:
    if isinstance(file, Path):
        kind = f"image/{file.suffix.removeprefix('.').replace('jpg', 'jpeg')}"
        return {"name": file.name, "mimeType": kind, "buffer": file.read_bytes()}
    return file


def named(name: str, path: Path) -> FilePayload:
    """A file with another name."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": path.read_bytes()}


def file_of(image: Image.Image, name: str, file_format: str, **options: Any) -> FilePayload:
    content = encode(image, file_format, **options)
    return {"name": name, "mimeType": f"image/{file_format.lower()}", "buffer": content}


def noise(width: int, height: int) -> Image.Image:
    """Return an image that no encoder makes small."""
    pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def rows(page: Page) -> Locator:
    return page.locator("#rows > li")


def labels(page: Page) -> list[str]:
    """Answers of the rows, from left to right."""
    texts: list[str] = page.locator("#rows summary b").all_text_contents()
    return texts


def answer_of(page: Page) -> Any:
    """The JSON that the page shows of the selected picture."""
    return json.loads(page.locator("#raw pre").text_content() or "")


def changing_predictions(
    handler: LambdaHandler, change: Callable[[dict[str, Any]], None]
) -> LambdaHandler:
    """Return a handler that changes every prediction of `/predict` in place."""

    def answer(event: Any, context: object) -> dict[str, Any]:
        response = dict(handler(event, context))
        if not event["path"].endswith("/predict") or response["isBase64Encoded"]:
            return response
        body = json.loads(response["body"])
        for image in body["images"]:
            for found in image["predictions"]:
                change(found)
        return {**response, "body": json.dumps(body)}

    return answer


def without_roles(handler: LambdaHandler) -> LambdaHandler:
    """Return a handler whose classifier has no roles."""

    def drop_roles(found: dict[str, Any]) -> None:
        for role in ("make", "kind", "colour"):
            found.pop(role, None)

    return changing_predictions(handler, drop_roles)


def with_classifiers(handler: LambdaHandler) -> LambdaHandler:
    """Return a handler whose vehicles have the answers `kind`, `colour` and, for cars, `make`."""

    def name_roles(found: dict[str, Any]) -> None:
        is_car = found["class_name"] == "car"
        kind = classes(*(("car", "van") if is_car else ("truck", "bus")))
        found |= {"kind": kind, "colour": classes("white", "silver")}
        if is_car:
            found |= {"make": classes("Renault", "Dacia")}
        found |= found["make"] if is_car else kind

    return changing_predictions(handler, name_roles)


def classes(*pred: str) -> dict[str, Any]:
    return {"label": f"{pred[0]}: 0.8", "pred": list(pred), "prob": [0.8, 0.1][: len(pred)]}
