"""A bucket behind HTTP that can fail like S3 or the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Semaphore, Thread

import pytest


class ObjectStore(ThreadingHTTPServer):
    """Server that answers GET `/bucket/key` from `objects`.

    Attributes:
        objects: Files by path.
        is_breaking_off: True to close the connection in the middle of a model.
        is_failing: True to answer every request with 503.
        is_stalling: True to stop in the middle of a model and keep the connection open.
        stalled: Released when a transfer has stopped.
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
        """Store the files of a folder below ``/bucket/prefix/<name of the folder>/``."""
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
            self.rfile.read(1)  # Returns when the client disconnects.

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """Serve a store that boto3 uses as S3."""
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
