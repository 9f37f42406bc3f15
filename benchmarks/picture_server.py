"""Serves the pictures on loopback, for the case that names them by url."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.pictures import FOLDER

NAME = "http://pictures.example"
"""What the product is told: it opens no url of a private address, and its connector leads here."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a line per request would be written while others are timed."""


@contextmanager
def serving() -> Iterator[int]:
    """The port of a server that runs until the end of the block."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(_Quiet, directory=str(FOLDER))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def url_base(contestant: str, port: int) -> str:
    """How a contestant is told where the pictures are."""
    return NAME if contestant.startswith("ours") else f"http://127.0.0.1:{port}"
