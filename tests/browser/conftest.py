"""A browser, the API behind a stage, and pages that must not log errors."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from gateway.fetch import Fetcher
from service.settings import Settings
from tests.browser.gateway import ROOT, Stage, serving
from tests.support.handlers import Handler, make_handler
from tests.support.network import FakeNetwork, http_answer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

SAMPLES = ROOT / "samples"
SCREENSHOTS = ROOT / "build" / "browser"
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 15

SWAGGER_UI_REMARK = "Could not find component: JsonSchema_"
"""A warning of Swagger UI about fields that it shows correctly."""

OpenPage = Callable[..., "Page"]


def missing(what: str) -> NoReturn:
    """Skip the test, or fail with REQUIRE_BROWSER=1, which CI sets."""
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import expect, sync_playwright
    except ModuleNotFoundError:
        missing("playwright is not installed: run `make test-browser`")
    candidates = (os.environ.get("CHROMIUM", ""), *BROWSERS)
    path = next((found for name in candidates if name and (found := shutil.which(name))), None)
    if path is None:
        missing("no Chromium found: set CHROMIUM to its path")
    expect.set_options(timeout=SECONDS * 1000)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser_handler(settings: Settings) -> Handler:
    """The handler with the embedded models and a network with one picture."""
    picture = (SAMPLES / "street.jpg").read_bytes()
    network = FakeNetwork(
        {"pictures.example/street.jpg": http_answer(picture)}, {"127.0.0.1": ["127.0.0.1"]}
    )
    fetcher: Fetcher = network.fetcher(max_bytes=1_000_000)
    return make_handler(settings, fetcher)


@pytest.fixture
def stage(browser_handler: Handler) -> Iterator[Stage]:
    """The API under /Prod."""
    with serving(Stage(browser_handler, "Prod")) as stage:
        yield stage


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open pages in contexts of their own; fail if a page logs an error or a warning.

    Chromium's messages about error responses are ignored: tests provoke them.
    """
    complaints: list[str] = []
    contexts = []

    def console(message: ConsoleMessage) -> None:
        is_ours = not message.text.startswith(("Failed to load resource", SWAGGER_UI_REMARK))
        if message.type in ("error", "warning") and is_ours:
            complaints.append(message.text)

    def open_page(url: str, **options: Any) -> Page:
        context = browser.new_context(
            **{"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **options}
        )
        context.set_default_timeout(SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", console)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def shoot(page: Page, name: str) -> Path:
    """Save a screenshot of the whole page."""
    page.wait_for_load_state("load")
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True, animations="disabled")
    return path
