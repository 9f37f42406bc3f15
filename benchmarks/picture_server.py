"""Serve the pictures on loopback, for the case that sends urls."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.pictures import FOLDER

NAME = "http://pictures.example"
"""Host name in urls for the product: it refuses private addresses, and its connector leads here."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a line per request would cost time while contestants are measured."""


@contextmanager
def serving() -> Iterator[int]:
    """Start a server, yield its port, and stop it at the end."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(_Quiet, directory=str(FOLDER))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def url_base(contestant: str, port: int) -> str:
    """Return the address of the pictures for a contestant."""
    return NAME if contestant.startswith("ours") else f"http://127.0.0.1:{port}"
