"""The website of the documentation, on a desktop and on a phone."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage, shoot
from tests.browser.gateway import ROOT

pytestmark = pytest.mark.browser

WIDTH = 390
PHONE = {"viewport": {"width": WIDTH, "height": 844}, "is_mobile": True, "has_touch": True}
PAGES = {
    "index": "",
    "tutorial": "tutorial/",
    "api": "api/",
    "parameters": "parameters/",
    "troubleshooting": "troubleshooting/",
    "decisions": "decisions/",
}


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True)
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_a_desktop(site: str, open_page: OpenPage, name: str) -> None:
    page = open_page(site + PAGES[name])
    assert page.locator("h1").count() == 1
    shoot(page, f"site-{name}")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_a_phone_fits_its_width(site: str, open_page: OpenPage, name: str) -> None:
    page = open_page(site + PAGES[name], **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    shoot(page, f"site-{name}-phone")


def test_search_finds_an_error_code(site: str, open_page: OpenPage) -> None:
    page = open_page(site)
    page.keyboard.press("/")
    page.keyboard.type("deadline_exceeded")
    page.locator(".md-search-result__link").first.wait_for()
