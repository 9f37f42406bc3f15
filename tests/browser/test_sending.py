"""The try page: ways to give pictures, requests, limits and failures."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from service.settings import Settings
from tests.browser.bucket import upload_bucket
from tests.browser.conftest import SAMPLES, SECONDS, OpenPage, shoot
from tests.browser.gateway import Stage, serving
from tests.browser.try_page import (
    LETTER,
    STREET,
    add,
    answer_of,
    expect,
    file_of,
    named,
    noise,
    rows,
    settle,
    until,
)
from tests.support.handlers import Handler, make_handler
from tests.support.local_api import local_api

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_an_address(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.route("http://pictures.example/street.jpg", lambda route: route.fulfill(path=STREET))
    page.locator("#options summary").click()
    page.get_by_label("Address of a picture").fill("http://pictures.example/street.jpg")
    page.get_by_role("button", name="Add", exact=True).click()
    settle(page)
    expect(page.locator("#name")).to_have_text("street.jpg")
    expect(page.locator("svg g text")).to_have_count(4)
    expect(page.locator("#panel pre")).to_contain_text(
        "--form-string url=http://pictures.example/street.jpg"
    )


def test_a_private_address_is_refused(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.locator("#options summary").click()
    page.get_by_label("Address of a picture").fill("http://127.0.0.1/secret.jpg")
    page.keyboard.press("Enter")
    expect(page.locator(".failure code")).to_have_text("url_not_allowed")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_dropped_and_pasted_files(kind: str, stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.evaluate(
        """async ([kind, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
            document.body.dispatchEvent(kind === "drop"
                ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
                : new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
        }""",
        [kind, list((SAMPLES / "car.jpg").read_bytes())],
    )
    settle(page)
    expect(page.locator("#name")).to_have_text("dropped.jpg")
    expect(rows(page)).to_have_count(1)


@pytest.mark.parametrize("number", range(4))
def test_examples(number: int, stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    examples = page.locator("#examples button")
    expect(examples).to_have_count(4)
    examples.nth(number).click()
    settle(page)
    expect(page.locator(".thumb.done")).to_have_count(1)
    expect(rows(page).locator("summary").first).to_be_visible()


def test_a_failed_picture_says_why(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET, LETTER)
    expect(page.locator(".thumb.failed")).to_have_count(1)
    page.locator(".thumb.failed").click()
    expect(page.locator(".failure code")).to_have_text("not_an_image")
    shoot(page, "failed")


def test_forty_pictures_with_cancel_and_retry(
    browser_handler: Handler, open_page: OpenPage
) -> None:
    """Results fill in while requests are in progress."""
    gate = threading.Event()
    posted = 0

    def slow(event: Any, context: object) -> Any:
        nonlocal posted
        if event["httpMethod"] == "POST":
            posted += 1
            if posted > 3:
                gate.wait(SECONDS)
        return browser_handler(event, context)

    with serving(Stage(slow, "Prod")) as stage:
        page = open_page(f"{stage.url}/")
        page.set_input_files(
            "#files", [named(f"{i:02}.jpg", SAMPLES / "car.jpg") for i in range(40)]
        )
        until(page, "pictures.filter((each) => each.state === 'done').length === 12")
        assert page.evaluate("document.getElementById('progress').value") == 12
        expect(page.locator("#status")).to_contain_text("12")
        expect(rows(page)).to_have_count(1)
        assert page.evaluate("document.scrollingElement.scrollHeight") < 2500
        shoot_now(page, "forty")
        page.get_by_role("button", name="Cancel").click()
        gate.set()
        settle(page)
        assert page.locator(".thumb.done").count() == 12
        page.get_by_role("button", name="Retry").click()
        settle(page)
        assert page.locator(".thumb.done").count() == 40
        assert posted <= 3 + 2 + 7


def shoot_now(page: Any, name: str) -> None:
    from tests.browser.conftest import SCREENSHOTS

    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def refusal(status: int, code: str, **headers: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **headers},
        "body": f'{{"error": {{"code": "{code}", "message": "No."}}}}',
        "isBase64Encoded": False,
    }


def test_a_request_that_is_too_large_is_split(
    browser_handler: Handler, open_page: OpenPage
) -> None:
    def small_only(event: Any, context: object) -> Any:
        if event["httpMethod"] == "POST" and len(event["body"]) > 200_000:
            return refusal(413, "too_large")
        return browser_handler(event, context)

    with serving(Stage(small_only, "Prod")) as stage:
        page = open_page(f"{stage.url}/")
        add(page, SAMPLES / "car.jpg", SAMPLES / "rotated.jpg")
        expect(page.locator(".thumb.done")).to_have_count(2)
        assert stage.requests.count(("POST", "/Prod/predict")) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again(
    status: int, browser_handler: Handler, open_page: OpenPage
) -> None:
    refusals = [refusal(status, "throttled", **{"Retry-After": "1"})]

    def busy(event: Any, context: object) -> Any:
        if event["httpMethod"] == "POST" and refusals:
            return refusals.pop()
        return browser_handler(event, context)

    with serving(Stage(busy, "Prod")) as stage:
        page = open_page(f"{stage.url}/")
        add(page, SAMPLES / "car.jpg")
        expect(page.locator(".thumb.done")).to_have_count(1)


def test_without_a_connection(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    page.route("**/predict?*", lambda route: route.abort())
    add(page, STREET)
    expect(page.locator(".failure code")).to_have_text("network")
    page.unroute("**/predict?*")
    page.get_by_role("button", name="Retry").click()
    settle(page)
    expect(rows(page)).to_have_count(4)


def test_the_route(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, STREET)
    page.locator("#options summary").click()
    page.get_by_label("What to look for").select_option("object_detection")
    settle(page)
    assert ("POST", "/Prod/object_detection") in stage.requests
    page.locator("#rows summary").first.click()
    expect(page.locator("#rows .bars")).to_have_count(0)


def test_an_api_key(browser_handler: Handler, open_page: OpenPage) -> None:
    with serving(Stage(browser_handler, "Prod", key="k3y")) as stage:
        page = open_page(f"{stage.url}/")
        add(page, SAMPLES / "car.jpg")
        expect(page.locator(".failure code")).to_have_text("invalid_api_key")
        expect(page.locator("#key")).to_be_focused()
        page.keyboard.type("k3y")
        page.keyboard.press("Enter")
        settle(page)
        expect(rows(page)).to_have_count(1)
        for tab in page.get_by_role("tab").all():
            tab.click()
            expect(page.locator("#panel pre")).to_contain_text("API_KEY")
        assert "k3y" not in page.content()
        assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]


def test_a_picture_that_is_too_large_is_reduced(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    exif = Image.Exif()
    exif[0x0112] = 6
    large = file_of(noise(2400, 1500), "large.jpg", "JPEG", quality=99, exif=exif)
    assert len(large["buffer"]) > 4_400_000
    add(page, large)
    expect(page.locator(".note")).to_contain_text("1500×2400")
    image = answer_of(page)
    assert image["width"] < image["height"], "upright"
    expect(page.locator("#panel pre")).to_contain_text("# large.jpg")


def test_a_picture_that_is_too_large_is_uploaded(settings: Settings, open_page: OpenPage) -> None:
    large = file_of(noise(2400, 1500), "large.jpg", "JPEG", quality=99)
    with (
        upload_bucket() as uploads,
        serving(Stage(make_handler(settings, uploads=uploads), "Prod")) as stage,
    ):
        page = open_page(f"{stage.url}/")
        add(page, STREET, large)
        [key] = uploads.objects
        assert uploads.objects[key] == large["buffer"]
        assert stage.requests.count(("POST", "/Prod/uploads")) == 1
        page.locator(".thumb").nth(1).click()
        expect(page.locator(".note")).to_have_count(1)
        stored = answer_of(page)
        assert (stored["field"], stored["error"]) == ("s3", None)
        assert (stored["width"], stored["height"]) == (2400, 1500), "not reduced"
        expect(page.locator("#panel pre")).to_contain_text(f"s3={key}")


def test_pictures_that_are_too_large_together(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    add(page, *(file_of(noise(900, 700), f"{i}.png", "PNG", compress_level=0) for i in range(3)))
    assert stage.requests.count(("POST", "/Prod/predict")) == 2
    expect(page.locator(".thumb.done")).to_have_count(3)


def test_a_file_that_the_browser_cannot_show(stage: Stage, open_page: OpenPage) -> None:
    page = open_page(f"{stage.url}/")
    with Image.open(SAMPLES / "car.jpg") as car:
        add(page, file_of(car.convert("RGB"), "car.tiff", "TIFF", compression="tiff_lzw"))
    expect(page.locator(".note")).to_have_count(1)
    natural = page.locator(".pane img").evaluate("image => image.naturalWidth")
    assert natural == 800


@pytest.mark.parametrize("name", ["", "Prod", "vision/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_under_any_prefix(
    name: str, slash: str, browser_handler: Handler, open_page: OpenPage
) -> None:
    with serving(Stage(browser_handler, name)) as stage:
        page = open_page(f"{stage.url}{slash}")
        page.locator("#examples button").first.click()
        settle(page)
        prefix = f"/{name}" if name else ""
        assert ("POST", f"{prefix}/predict") in stage.requests
        assert ("GET", f"{prefix}/models") in stage.requests
        page.get_by_role("link", name="API reference").click()
        page.wait_for_url(f"{stage.url}/docs")


@pytest.mark.parametrize("path", ["//evil.example/", "///evil.example/Prod/"])
def test_the_path_cannot_become_another_host(
    path: str, browser_handler: Handler, open_page: OpenPage
) -> None:
    """CloudFront and ALB pass on paths with several slashes."""

    def any_path(event: Any, context: object) -> Any:
        last = event["path"].rsplit("/", 1)[-1]
        return browser_handler({**event, "path": f"/{last}"}, context)

    hosts: set[str] = set()
    with serving(Stage(any_path)) as stage:
        page = open_page(f"{stage.url}/about")
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(stage.url + path)
        page.locator("#examples button").first.click()
        settle(page)
        links = page.locator("nav a").evaluate_all("links => links.map((link) => link.host)")
        assert hosts | set(links) == {stage.url.removeprefix("http://")}


def test_with_the_local_api(open_page: OpenPage, tmp_path: Path) -> None:
    """SAM CLI, the emulator and real events; the drawn answer is binary."""
    with local_api(tmp_path / "log") as api:
        page = open_page(f"{api.url}/")
        page.set_default_timeout(2 * SECONDS * 1000)
        with Image.open(SAMPLES / "car.jpg") as car:
            tiff = file_of(car.convert("RGB"), "car.tiff", "TIFF", compression="tiff_lzw")
        add(page, STREET, tiff)
        page.locator(".thumb").nth(1).click()
        expect(page.locator(".note")).to_have_count(1)
