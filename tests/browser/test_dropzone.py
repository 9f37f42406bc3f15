"""Dropzone, a common upload widget, sends pictures to the local API from a page of another origin.

It is installed from npm into build/dropzone. Its request has the headers Cache-Control and
X-Requested-With, which browsers ask the API about first.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.conftest import SAMPLES, OpenPage, missing
from tests.browser.gateway import ROOT
from tests.browser.try_page import until
from tests.support.local_api import LocalApi, local_api

BUILD = ROOT / "build" / "dropzone"
SCRIPT = BUILD / "node_modules" / "dropzone" / "dist" / "dropzone-min.js"
INSTALL_SECONDS = 300

PAGE = """<!doctype html><title>Dropzone</title><link rel="icon" href="data:,">
<script src="dropzone.js"></script><form id="zone" class="dropzone"></form><script>
Dropzone.autoDiscover = false;
const answers = [], errors = [];
new Dropzone("#zone", {url: "%s/shape"})
    .on("success", (file, answer) => answers.push(answer))
    .on("error", (file, message) => errors.push(message));
</script>"""

pytestmark = [pytest.mark.slow, pytest.mark.browser]


class Files(SimpleHTTPRequestHandler):
    """Serves a folder without a log."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[LocalApi]:
    with local_api(tmp_path / "log") as running:
        yield running


@pytest.fixture
def page_url(api: LocalApi, tmp_path: Path) -> Iterator[str]:
    """Serve a page with Dropzone on a port of its own, which makes it another origin."""
    if not shutil.which("npm"):
        missing("npm is not installed")
    BUILD.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(BUILD), "dropzone@6"]
    done = subprocess.run(command, timeout=INSTALL_SECONDS, capture_output=True, check=False)
    if done.returncode:
        missing("npm cannot install Dropzone")
    folder = tmp_path / "page"
    folder.mkdir()
    shutil.copy(SCRIPT, folder / "dropzone.js")
    (folder / "index.html").write_text(PAGE % api.url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_pictures_are_sent_from_another_origin(page_url: str, open_page: OpenPage) -> None:
    page = open_page(page_url)
    page.locator(".dz-hidden-input").set_input_files([SAMPLES / "car.jpg", SAMPLES / "bus.jpg"])
    until(page, "answers.length + errors.length === 2")

    assert page.evaluate("errors") == []
    assert sorted(page.evaluate("answers")) == [[[533, 800, 3]], [[540, 960, 3]]]
