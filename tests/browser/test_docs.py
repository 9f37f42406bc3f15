"""Swagger UI in a browser, from the packaged copy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.conftest import SAMPLES, OpenPage, shoot
from tests.browser.gateway import Stage, serving
from tests.support.handlers import Handler

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.mark.parametrize("slash", ["", "/"])
def test_try_it_out_with_two_files_under_a_stage(
    slash: str, stage: Stage, open_page: OpenPage
) -> None:
    from playwright.sync_api import expect

    page = open_page(f"{stage.url}/docs{slash}")
    operation = page.locator("#operations-pictures-predict")
    operation.locator(".opblock-summary-control").click()
    files = operation.locator("input[type=file]")
    files.first.set_input_files(SAMPLES / "car.jpg")
    operation.get_by_role("button", name="Add string item").first.click()
    files.nth(1).set_input_files(SAMPLES / "bus.jpg")
    operation.get_by_role("button", name="Execute").click()
    response = operation.locator(".live-responses-table")
    expect(response.locator(".response-col_status").last).to_contain_text("200")
    [(method, path)] = [each for each in stage.requests if each[0] == "POST"]
    assert (method, path.endswith("/predict"), path.startswith("/Prod/")) == ("POST", True, True)
    answer: Any = json.loads(response.locator("pre.microlight").first.text_content() or "")
    # Swagger UI sends no options that the user does not give.
    assert [[found["class_name"] for found in vehicles] for vehicles in answer] == [
        ["car"],
        ["bus"],
    ]
    if not slash:
        shoot(page, "docs")


def test_files_and_urls_together(stage: Stage, open_page: OpenPage) -> None:
    from playwright.sync_api import expect

    page = open_page(f"{stage.url}/docs")
    operation = page.locator("#operations-pictures-shape")
    operation.locator(".opblock-summary-control").click()
    operation.locator("input[type=file]").set_input_files(SAMPLES / "car.jpg")
    for position, name in enumerate(("street", "gone")):
        operation.get_by_role("button", name="Add string item").nth(1).click()
        field = operation.locator(".json-schema-form-item input:not([type=file])").nth(position)
        field.fill(f"http://pictures.example/{name}.jpg")
    operation.get_by_role("button", name="Execute").click()
    response = operation.locator(".live-responses-table")
    expect(response.locator(".response-col_status").last).to_contain_text("200")
    answer: Any = json.loads(response.locator("pre.microlight").first.text_content() or "")
    assert answer == [[533, 800, 3], [683, 1024, 3], []]


def test_a_key_can_be_given(browser_handler: Handler, open_page: OpenPage) -> None:
    from playwright.sync_api import expect

    with serving(Stage(browser_handler, "Prod", key="k3y")) as stage:
        page = open_page(f"{stage.url}/docs")
        page.get_by_role("button", name="Authorize").first.click()
        page.locator(".modal-ux input").fill("k3y")
        page.locator(".modal-ux").get_by_role("button", name="Apply credentials").click()
        page.locator(".modal-ux").get_by_role("button", name="Close").click()
        operation = page.locator("#operations-pictures-nbytes")
        operation.locator(".opblock-summary-control").click()
        operation.locator("input[type=file]").set_input_files(SAMPLES / "car.jpg")
        operation.get_by_role("button", name="Execute").click()
        expect(
            operation.locator(".live-responses-table .response-col_status").last
        ).to_contain_text("200")


def test_dark(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/docs", color_scheme="dark")
    page.locator(".opblock").first.wait_for()
    shoot(page, "docs-dark")
