"""A bucket behind real HTTP, which can fail the way that S3 or the network before it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Semaphore, Thread

import pytest


class ObjectStore(ThreadingHTTPServer):
    """Answers GET of `/bucket/key` with what `objects` has under that path.

    Attributes:
        objects: The files.
        is_breaking_off: Whether models end half-way, though their Content-Length is whole.
        is_failing: Whether everything is answered with 503.
        is_stalling: Whether models stop half-way and the connection stays open.
        stalled: Released when one has.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.is_breaking_off = False
        self.is_failing = False
        self.is_stalling = False
        self.stalled = Semaphore(0)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def put_folder(self, folder: Path, prefix: str) -> None:
        """Put a folder's files below ``/bucket/prefix/<folder's name>/``."""
        for path in folder.iterdir():
            self.objects[f"{prefix}/{folder.name}/{path.name}"] = path.read_bytes()


class _Handler(BaseHTTPRequestHandler):
    server: ObjectStore

    def do_GET(self) -> None:
        content = self.server.objects.get(self.path)
        if self.server.is_failing or content is None:
            self.send_response(503 if self.server.is_failing else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        is_model = self.path.endswith(".onnx")
        if is_model and (self.server.is_breaking_off or self.server.is_stalling):
            content = content[: len(content) // 2]
        self.wfile.write(content)
        if is_model and self.server.is_stalling:
            self.server.stalled.release()
            self.rfile.read(1)  # Until the client is gone.

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A store that boto3 takes for S3."""
    store = ObjectStore()
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    thread = Thread(target=store.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield store
    finally:
        store.shutdown()
        thread.join()
        store.server_close()
